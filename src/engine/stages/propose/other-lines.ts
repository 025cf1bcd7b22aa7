import { cumsum } from 'd3-array';
import type { Contract } from '../../../shared/contract.ts';
import { heldBy } from '../../../shared/held.ts';
import { isBetter, type OtherLines } from '../../../shared/study.ts';
import { PLATEAU, sinceKeep } from '../../proposers/briefing/digest.ts';
import { seededRandom } from '../../proposers/search/random.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import type { Trial } from '../../verdicts/claims.ts';
import { mean } from '../../verdicts/noise.ts';

/**
 * The lines of a study besides the one that the branch holds: experiments that were measured and left, with what was built on them.
 * Pure. To go on from what was not the best finds steps that only help together; parents are chosen by how good they are and how few
 * children they have, as in the Darwin Gödel Machine (Zhang et al. 2025).
 */

/** As many lines are gone on with. */
const MOST_LINES = 8;
/** One proposal of so many starts from another line. */
const ONE_IN = 3;

export type OtherLine = {
  /** Its best experiment, which a proposal starts from. */
  readonly n: number;
  /** The mean of that one's runs. */
  readonly metric: number;
  /** What was tried on the line so far, whatever came of it. */
  readonly children: number;
};

type Study = {
  readonly history: readonly HistoryEntry[];
  readonly trials: readonly Trial[];
  readonly goal: Contract['metric']['goal'];
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

/** An edit that changed nothing is no line of its own, and one that broke a condition leads nowhere. */
const STARTS: readonly string[] = ['worse', 'better', 'simplified'];

/** The line that the proposal for experiment `n` starts from; null for the incumbent. The same numbers give the same answer. */
export function chooseOtherLine(study: Study, n: number, use: OtherLines): OtherLine | null {
  const isWanted = use === 'always' || (use === 'plateau' && sinceKeep(study.history) >= PLATEAU);
  if (!isWanted || n % ONE_IN !== 0) return null;
  const lines = findOtherLines(study);
  // Better ones more often, and those that little was tried on.
  const weights = lines.map(({ children }, rank) => 1 / ((1 + rank) * (1 + children)));
  const sums = cumsum(weights);
  const drawn = seededRandom(n)() * (sums.at(-1) ?? 0);
  return lines.find((_, place) => drawn < (sums[place] ?? 0)) ?? null;
}

function madeOn({ lateParent, incumbent }: HistoryEntry): number | null {
  return lateParent ?? incumbent;
}

/** The first experiment of the line of `n`, made on what the branch holds; null where it is no line, or holds what was taken back. */
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
  // An experiment is built on older ones only, so this comes to an end.
  for (let at = n; ; ) {
    const parent = parentOf(at);
    if (parent === null || known.get(at)?.isTakenBack) return null;
    if (held.has(parent)) return at;
    // What has no number that counts was taken back for it.
    if (!known.has(parent)) return null;
    at = parent;
  }
}
