import { formatNumber } from './numbers.ts';
import type { Tally } from './study.ts';

/** The counts that the user is told, the same everywhere. */
export type Tried = Pick<Tally, 'keep' | 'discard' | 'crash'> & {
  readonly tried: number;
  /** With another word than the three, in an imported table. */
  readonly other: number;
};

/** Whether an experiment was tried. The baseline was not; of an imported table, every row was. */
export function isTried({ n }: { readonly n: number }, isImported: boolean): boolean {
  return n > 0 || isImported;
}

/** A tally without the baseline. */
export function countTried({
  finished,
  keep,
  discard,
  crash,
  baselineVerdict,
}: Pick<Tally, 'finished' | 'keep' | 'discard' | 'crash' | 'baselineVerdict'>): Tried {
  const all = { keep, discard, crash, other: finished - keep - discard - crash, tried: finished };
  return baselineVerdict === null
    ? all
    : { ...all, tried: finished - 1, [baselineVerdict]: all[baselineVerdict] - 1 };
}

/** Upstream's keep rate, keep / (keep + discard), of what was tried; null before the first of either. */
export function keepRate({ keep, discard }: Pick<Tally, 'keep' | 'discard'>): number | null {
  return keep + discard === 0 ? null : keep / (keep + discard);
}

/** `7 kept, 5 discarded, 1 crashed`. */
export function describeVerdicts({ keep, discard, crash, other }: Omit<Tried, 'tried'>): string {
  const rest = other === 0 ? '' : `, ${formatNumber(other)} other`;
  return `${formatNumber(keep)} kept, ${formatNumber(discard)} discarded, ${formatNumber(crash)} crashed${rest}`;
}

/** `13 tried: 7 kept, 5 discarded, 1 crashed`. */
export function describeTried(counts: Tried): string {
  return `${formatNumber(counts.tried)} tried: ${describeVerdicts(counts)}`;
}
