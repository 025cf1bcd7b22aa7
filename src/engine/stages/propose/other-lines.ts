import { cumsum } from 'd3-array';
import type { Goal } from '../../../shared/contract/contract.ts';
import { isBetter, type OtherLines } from '../../../shared/study.ts';
import { heldBy } from '../../../shared/verdicts/held.ts';
import { PLATEAU, sinceKeep } from '../../proposers/briefing/digest.ts';
import { seededRandom } from '../../proposers/search/random.ts';
import type { Trial } from '../../statistics/claims.ts';
import { mean } from '../../statistics/noise.ts';
import { type HistoryEntry, madeOn } from '../../store/experiment-past.ts';

/**
 * The lines of a study besides the branch: experiments that were measured but not kept, with those built on them.
 * Pure. Continuing from one that was not the best can find steps that only help together. Parents are chosen by how
 * good they are and how few children they have, as in the Darwin Gödel Machine (Zhang et al. 2025).
 */

/** How many lines are considered. */
const MOST_LINES = 8;
/** One in this many proposals starts from another line. */
const ONE_IN = 3;

export type OtherLine = {
  /** The line's best experiment, where a proposal starts. */
  readonly n: number;
  /** The mean of that experiment's runs. */
  readonly metric: number;
  /** How many experiments were tried on the line, whatever their result. */
  readonly children: number;
};

type Study = {
  readonly history: readonly HistoryEntry[];
  readonly trials: readonly Trial[];
  readonly goal: Goal;
};

/** The best lines, best first. */
export function findOtherLines({ history, trials, goal }: Study): readonly OtherLine[] {
  const entries = new Map(history.map(entry => [entry.n, entry]));
  const known = new Map(trials.map(trial => [trial.n, trial]));
  const parentOf = (n: number) => {
    const entry = entries.get(n);
    return entry ? madeOn(entry) : null;
  };
  const held = heldBy(trials.findLast(({ isKept }) => isKept)?.n ?? null, parentOf);
  const lines = new Map<number, { best: OtherLine | null; size: number }>();
  for (const { n, reason } of history) {
    const root = rootOf(n, { parentOf, known, held });
    if (root === null) continue;
    const { best, size } = lines.get(root) ?? { best: null, size: 0 };
    const trial = known.get(n);
    const metric = trial && STARTS.includes(reason) ? mean(trial.values) : null;
    const isBest = metric !== null && (best === null || isBetter(goal, metric, best.metric));
    lines.set(root, { best: isBest ? { n, metric, children: 0 } : best, size: size + 1 });
  }
  return [...lines.values()]
    .flatMap(({ best, size }) => (best ? [{ ...best, children: size - 1 }] : []))
    .sort((a, b) => (isBetter(goal, a.metric, b.metric) ? -1 : Number(isBetter(goal, b.metric, a.metric))))
    .slice(0, MOST_LINES);
}

/** An edit that changed nothing begins no new line, and one that broke a condition leads nowhere. */
const STARTS: readonly string[] = ['worse', 'better', 'simplified'];

/**
 * The line from which the proposal for experiment `n` starts; null for the incumbent. Equal inputs give the same
 * answer.
 */
export function chooseOtherLine(study: Study, n: number, use: OtherLines): OtherLine | null {
  const isWanted = use === 'always' || (use === 'plateau' && sinceKeep(study.history) >= PLATEAU);
  if (!isWanted || n % ONE_IN !== 0) return null;
  const lines = findOtherLines(study);
  // Prefer better lines, and those with fewer experiments.
  const weights = lines.map(({ children }, rank) => 1 / ((1 + rank) * (1 + children)));
  const sums = cumsum(weights);
  const drawn = seededRandom(n)() * (sums.at(-1) ?? 0);
  return lines.find((_, place) => drawn < (sums[place] ?? 0)) ?? null;
}

/**
 * The first experiment on the line of `n`, whose parent is on the branch; null if `n` is on the branch itself, or its
 * line contains an experiment that was taken back.
 */
function rootOf(
  n: number,
  {
    parentOf,
    known,
    held,
  }: {
    readonly parentOf: (n: number) => number | null;
    readonly known: ReadonlyMap<number, Trial>;
    readonly held: ReadonlySet<number>;
  },
): number | null {
  if (held.has(n)) return null;
  // The loop ends, because each parent is older.
  for (let at = n; ; ) {
    const parent = parentOf(at);
    if (parent === null || known.get(at)?.isTakenBack) return null;
    if (held.has(parent)) return at;
    // A parent without a valid number was taken back.
    if (!known.has(parent)) return null;
    at = parent;
  }
}
