import type { ProgressRow } from '../../src/shared/charts/progress-model.ts';
import type { Tally } from '../../src/shared/study.ts';

export function row(
  n: number,
  word: ProgressRow['word'],
  metric: number | null,
  hypothesis = `Idea ${n}`,
): ProgressRow {
  return { n, at: 1_700_000_000_000 + n * 330_000, word, metric, hypothesis };
}

/** A night of `count` experiments whose metric falls slowly from 1. */
export function night(count: number): ProgressRow[] {
  let best = 1;
  return Array.from({ length: count }, (_, n) => {
    if (n === 0) return row(0, 'keep', best, 'Baseline');
    if (n % 50 === 7) return row(n, 'crash', 0);
    if (n % 6 === 0) {
      best -= 0.01 / n;
      return row(n, 'keep', best);
    }
    return row(n, 'discard', best + 0.001 + ((n * 7_919) % 101) / 20_000);
  });
}

/** A study's counts, with a baseline that was kept. */
export function tallyOf({ keep = 1, discard = 0, crash = 0, ...rest }: Partial<Tally>): Tally {
  return {
    ...{ keep, discard, crash, finished: keep + discard + crash, baselineVerdict: 'keep', keepRate: null },
    ...{ baseline: null, best: null, bestExperiment: null },
    ...rest,
  };
}
