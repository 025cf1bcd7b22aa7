import type { DebriefSitting } from '../../shared/debrief.ts';
import type { Mark } from '../../shared/notebook.ts';

/** A stretch of time; `until` is null while it lasts. */
export type Span = { readonly from: number; readonly until: number | null };

/**
 * When the study ran. A sitting without an end died with its engine: it lasted until the last thing that happened in it.
 * @param ends when each experiment ended, in any order
 */
export function findSittings(
  marks: readonly Mark[],
  ends: readonly number[],
  isRunning: boolean,
): readonly DebriefSitting[] {
  const spans: Span[] = [];
  const close = (until: number | null) => {
    const last = spans.at(-1);
    if (last && last.until === null) spans[spans.length - 1] = { ...last, until };
  };
  const lastBefore = (at: number) =>
    Math.max(spans.at(-1)?.from ?? 0, ...ends.filter(end => end <= at), ...marksBefore(marks, at));
  for (const { kind, at } of marks) {
    if (kind === 'started') {
      close(lastBefore(at));
      spans.push({ from: at, until: null });
    } else if (kind === 'stopped') close(at);
  }
  if (!isRunning) close(lastBefore(Number.POSITIVE_INFINITY));
  return spans.map(span => ({ ...span, experiments: ends.filter(end => isWithin(end, span)).length }));
}

/** What only a study that runs leaves; other marks are the user's, at any time. */
const OF_A_SITTING: readonly Mark['kind'][] = [
  ...(['paused', 'continued', 'rested', 'unfair', 'repeated', 'rolled_back', 'warning'] as const),
];

function marksBefore(marks: readonly Mark[], at: number): readonly number[] {
  return marks.filter(mark => OF_A_SITTING.includes(mark.kind) && mark.at < at).map(mark => mark.at);
}

export function isWithin(at: number | null, { from, until }: Span): boolean {
  return at !== null && at >= from && (until === null || at <= until);
}

/** Seconds of a span in which the study was paused. */
export function pausedSeconds(marks: readonly Mark[], span: Span, now: number): number {
  let [since, total]: [number | null, number] = [null, 0];
  for (const { kind, at } of marks.filter(mark => isWithin(mark.at, span))) {
    if (kind === 'paused') since ??= at;
    else if (since !== null && (kind === 'continued' || kind === 'stopped')) {
      total += at - since;
      since = null;
    }
  }
  if (since !== null) total += (span.until ?? now) - since;
  return total / 1000;
}
