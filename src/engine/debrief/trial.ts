import { sum } from 'd3-array';
import type { Goal } from '../../shared/contract/contract.ts';
import type { DebriefIdea } from '../../shared/debrief/debrief.ts';
import { type Experiment, isBetter, type ShownVerdict } from '../../shared/study.ts';
import type { CommitEdit } from '../git/read-edits.ts';
import type { RunRow } from '../store/runs.ts';

/** An experiment with its verdict, and everything that the parts of a debrief need. */
export type Trial = Experiment & {
  readonly verdict: ShownVerdict;
  readonly endedAt: number;
  readonly proposer: string | null;
  readonly runs: readonly RunRow[];
  /** What it changed; null if that is no longer known. */
  readonly edit: CommitEdit | null;
  /** For a keep whose edit left the branch, the keep that took its place. */
  readonly supersededBy: number | null;
  /**
   * Positive means better, in the metric's unit: for a keep, over the keep before it of which the branch still has the
   * edit, by their records; otherwise over the incumbent of its time. Null if a number is missing.
   */
  readonly gain: number | null;
  /** The cost of its model calls in US dollars; null if no call had a price. */
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

/** What the branch gained by it: nothing, unless it was kept and its edit is still there. */
export function branchGain(trial: Trial): number {
  return isKept(trial) && trial.supersededBy === null ? (trial.gain ?? 0) : 0;
}

/** Total seconds of the runs that led to its verdict. */
export function trainedSeconds({ runs }: Pick<Trial, 'runs'>): number {
  return sum(runs.filter(({ purpose }) => purpose === null).map(({ seconds }) => seconds));
}

/** Null if none of its runs was measured. */
export function energyWh({ runs }: Pick<Trial, 'runs'>): number | null {
  return sumKnown(runs.map(run => run.energyWh));
}

/** By how much a value is better than another, in the metric's unit; a loss is negative. Null if one is missing. */
export function gainOf(value: number | null, against: number | null, goal: Goal): number | null {
  if (value === null || against === null || !Number.isFinite(value) || !Number.isFinite(against)) return null;
  return isBetter(goal, value, against) ? Math.abs(value - against) : -Math.abs(value - against);
}

/** Null if every value is unknown. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : sum(known);
}
