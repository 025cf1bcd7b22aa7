import type { Cell } from '../../shared/notebook.ts';

/** When an experiment ended, or else began; null for an imported row without a time. */
export function knownTime({ phase, endedAt, startedAt }: Cell): number | null {
  return phase === 'recorded' ? endedAt : (endedAt ?? startedAt);
}
