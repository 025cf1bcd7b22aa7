import type { Cell } from '../../shared/notebook.ts';

/** When an experiment ended, or began; null for a row from elsewhere of which nobody wrote that down. */
export function knownTime({ phase, endedAt, startedAt }: Cell): number | null {
  return phase === 'recorded' ? endedAt : (endedAt ?? startedAt);
}
