import type { DebriefIdea } from '../../shared/debrief.ts';
import { type Experiment, isBetter, type ShownVerdict } from '../../shared/study.ts';
import type { CommitEdit } from '../git/read-edits.ts';
import type { RunRow } from '../store/runs.ts';

/** An experiment with its verdict, and all that the parts of a debrief are made of. */
export type Trial = Experiment & {
  readonly verdict: ShownVerdict;
  readonly endedAt: number;
  readonly proposer: string | null;
  readonly runs: readonly RunRow[];
  /** What it changed; null where nobody can tell any more. */
  readonly edit: CommitEdit | null;
  /**
   * Positive for better, in the metric's unit: of a keep over the keep before it, by their records; else over the best of its time.
   * Null where a number is missing.
   */
  readonly gain: number | null;
  /** What models were asked for it, in US dollars; null where no call had a price. */
  readonly costUsd: number | null;
};

export function ideaOf({ n, proposal, proposer }: Trial): DebriefIdea {
  return {
    n,
    proposer,
    hypothesis: proposal?.hypothesis ?? '',
    category: proposal?.category ?? null,
  };
}

export function isKept({ verdict }: Trial): boolean {
  return verdict.word === 'keep';
}

/** Seconds of its runs that led to the verdict. */
export function trainedSeconds({ runs }: Pick<Trial, 'runs'>): number {
  return sum(runs.filter(({ purpose }) => purpose === null).map(({ seconds }) => seconds));
}

/** Null where none of its runs was measured. */
export function energyWh({ runs }: Pick<Trial, 'runs'>): number | null {
  return sumKnown(runs.map(run => run.energyWh));
}

/** How much better a value is than another, in the metric's unit; a loss is negative. Null where one is missing. */
export function gainOf(
  value: number | null,
  against: number | null,
  goal: 'minimize' | 'maximize',
): number | null {
  if (value === null || against === null || !Number.isFinite(value) || !Number.isFinite(against)) return null;
  return isBetter(goal, value, against) ? Math.abs(value - against) : -Math.abs(value - against);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Null where nothing is known. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : sum(known);
}
