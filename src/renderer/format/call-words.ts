import type { ModelCall } from '../../shared/proposers/model-calls.ts';

/** Events of model calls besides their answers: failures and their reasons, in order; equal ones are counted. */
export function tellCalls(
  calls: readonly ModelCall[],
): readonly { readonly text: string; readonly count: number }[] {
  const told = new Map<string, number>();
  for (const { outcome, message } of calls) {
    if (message === null && (outcome === 'ok' || outcome === 'open')) continue;
    const text = message ?? outcome.replaceAll('_', ' ');
    told.set(text, (told.get(text) ?? 0) + 1);
  }
  return [...told].map(([text, count]) => ({ text, count }));
}
