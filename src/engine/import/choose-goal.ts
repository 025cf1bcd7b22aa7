import { directionOf } from '../../shared/contract/metric-direction.ts';
import { isBetter, type VerdictWord } from '../../shared/study.ts';
import type { Goal, ImportedTable } from './imported-table.ts';

export type Judged = { readonly verdict: VerdictWord; readonly metric: number | null };

export type ChosenGoal =
  | { readonly goal: Goal; readonly from: ImportedTable['goalFrom'] }
  | { readonly goal: null; readonly why: string };

/** The share of comparisons that has to agree. */
const AGREEMENT = 0.8;
/** With at least this many comparisons, rows can contradict the metric's name. */
const ENOUGH_TO_DOUBT = 3;

/** A time can have such a name too, so many rows, with enough discards among them, outweigh it. */
const VAGUE_NAME = /^(?:score|fitness)$/i;
const ENOUGH_TO_OVERRULE = { kept: 5, discarded: 5, share: 0.95 } as const;

/** The direction in a comment or heading: `lower is better`, `metric_direction: higher_is_better`, `maximize`. */
export function goalInWords(text: string): Goal | null {
  const plain = text.toLowerCase().replace(/[_-]+/g, ' ');
  const isLower = /\b(?:lower|less|smaller|fewer|min)\b(?: is|=) better|\bminimi[sz]|↓|⬇/.test(plain);
  const isHigher = /\b(?:higher|more|bigger|greater|larger|max)\b(?: is|=) better|\bmaximi[sz]|↑|⬆/.test(
    plain,
  );
  if (isLower !== isHigher) return isLower ? 'minimize' : 'maximize';
  const said = /\b(?:goal|direction|objective|optimi[sz]e)\s*[:=]\s*(lower|higher|min|max|down|up)\b/.exec(
    plain,
  )?.[1];
  // A sentence with both words is about something else.
  if (isLower || said === undefined) return null;
  return said === 'lower' || said === 'min' || said === 'down' ? 'minimize' : 'maximize';
}

/**
 * The direction: from the file's own words; else from the metric's name; else from the baseline and the kept rows.
 * Bits per byte are always minimized.
 */
export function chooseGoal(metricName: string, told: Goal | null, rows: readonly Judged[]): ChosenGoal {
  const named = directionOf(metricName);
  const kept = goalOfKeeps(rows);
  if (told !== null) {
    if (named !== null && named !== told && kept.goal === named) {
      return { goal: null, why: `the file says "${told}", its name and its rows say "${named}"` };
    }
    return { goal: told, from: 'file' };
  }
  if (named !== null) {
    const isDoubted = kept.goal !== null && kept.goal !== named && kept.comparisons >= ENOUGH_TO_DOUBT;
    if (isDoubted && VAGUE_NAME.test(metricName) && kept.isOverruling)
      return { goal: kept.goal ?? named, from: 'keeps' };
    if (isDoubted && !/(?:^|_)bp[bcd]$/i.test(metricName)) {
      return { goal: null, why: `its name says "${named}", the kept rows say "${kept.goal}"` };
    }
    return { goal: named, from: 'name' };
  }
  return kept.goal === null
    ? { goal: null, why: 'neither the file, nor its name, nor the kept rows say' }
    : { goal: kept.goal, from: 'keeps' };
}

type GoalOfKeeps = {
  readonly goal: Goal | null;
  readonly comparisons: number;
  /** Whether discards confirm it too: if the newest row comes first, the keeps alone would say the opposite. */
  readonly isOverruling: boolean;
};

/** Keeps say nothing if the only one is the baseline. */
function goalOfKeeps(rows: readonly Judged[]): GoalOfKeeps {
  const { lower, higher, keeps } = compareWithKept(rows);
  const comparisons = lower + higher;
  const { kept, discarded, share } = ENOUGH_TO_OVERRULE;
  const isOverruling =
    keeps >= kept && comparisons - keeps >= discarded && Math.max(lower, higher) >= share * comparisons;
  const goal =
    higher / comparisons >= AGREEMENT ? 'maximize' : lower / comparisons >= AGREEMENT ? 'minimize' : null;
  return { goal: keeps === 0 ? null : goal, comparisons, isOverruling };
}

/**
 * If lower (or higher) is better, each keep beats the one before it and no discard does. Counts the rows that fit
 * lower, those that fit higher, and the keeps among them.
 */
export function compareWithKept(rows: readonly Judged[]): {
  readonly lower: number;
  readonly higher: number;
  readonly keeps: number;
} {
  let incumbent: number | null = null;
  let keeps = 0;
  let lower = 0;
  let higher = 0;
  for (const { verdict, metric } of rows) {
    if (metric === null || (verdict !== 'keep' && verdict !== 'discard')) continue;
    if (incumbent !== null && metric !== incumbent) {
      if (isBetter('maximize', metric, incumbent) === (verdict === 'keep')) higher += 1;
      else lower += 1;
      if (verdict === 'keep') keeps += 1;
    }
    if (verdict === 'keep') incumbent = metric;
  }
  return { lower, higher, keeps };
}
