import type { Measured, StackKeep } from '../../shared/stack.ts';
import type { Experiment, Study } from '../../shared/study.ts';
import { supersededAmong } from '../../shared/verdicts/late.ts';
import { isEmptyNumber } from '../../shared/verdicts/probes.ts';
import { gainOf } from '../debrief/trial.ts';
import { eachExperiment } from '../export/export-study.ts';
import { countLines, readTrees } from '../git/read-trees.ts';
import type { Repository } from '../git/repository.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import type { Ledger } from '../store/ledger.ts';

/** A keep with its commit, and the keep that it was measured against. */
export type Keep = StackKeep & {
  readonly parent: string;
  readonly commit: string;
  /** The trees of both. */
  readonly before: string;
  readonly after: string;
  readonly against: Measured | null;
  /** When it was proposed, in milliseconds since the epoch. */
  readonly at: number;
};

/** What a stack is built from. */
export type Line = {
  readonly base: string;
  readonly baseTree: string;
  readonly baseline: Measured | null;
  /** In the order they were kept, without those that were taken back. */
  readonly keeps: readonly Keep[];
  /** Experiments with a valid number, by their trees. */
  readonly measured: ReadonlyMap<string, Measured>;
};

/** Keeps that are part of the branch, in the order they were kept; some keeps may have been replaced. */
function lineOf(experiments: readonly Experiment[]): readonly Experiment[] {
  const kept = experiments
    .filter(({ verdict, n }) => verdict?.word === 'keep' && n > 0)
    .toSorted((a, b) => Number(a.verdictOrder) - Number(b.verdictOrder));
  const superseded = supersededAmong(kept);
  return kept.filter(({ n }) => !superseded.has(n));
}

/** The line of keeps from the baseline to the best. Keeps whose commits are gone from the repository are left out. */
export async function readLine(ledger: Ledger, study: Study, repository: Repository): Promise<Line> {
  const experiments = [...eachExperiment(ledger, study)].filter(({ phase }) => phase === 'recorded');
  const claims = assessStudy(ledger, study);
  const kept = lineOf(experiments);
  // A keep's parent may be a commit that only the branch has.
  const attempts = experiments.flatMap(({ attemptCommit, branchCommit }) =>
    [attemptCommit, branchCommit].filter(commit => commit !== null),
  );
  const trees = await readTrees(repository, [study.baseCommit, ...attempts]);
  const measured = new Map<string, Measured>();
  for (const { n, record, verdict, attemptCommit } of experiments) {
    const tree = trees.get(attemptCommit ?? '');
    // An experiment that breaks a condition, or whose number does not come from the data, has no valid number.
    const isEmpty = !verdict || verdict.evidence.guard || isEmptyNumber(verdict.reason);
    if (tree && record && !isEmpty && !measured.has(tree)) measured.set(tree, { n, record });
  }
  const lines = await countLines(
    repository,
    kept.flatMap(({ attemptCommit }) => (trees.has(attemptCommit ?? '') ? (attemptCommit ?? []) : [])),
  );
  const base = study.baseCommit;
  const first = experiments.find(({ n }) => n === 0)?.record ?? null;
  const baseline = first && { n: 0, record: first };
  let against: Measured | null = baseline;
  let tip: string | null = base;
  const keeps = kept.flatMap(({ n, proposal, record, verdict, parentCommit, attemptCommit, startedAt }) => {
    // A keep that replaced others may build on edits that are otherwise not in the line.
    const from = verdict?.evidence.supersedes ? tip : parentCommit;
    const [parent, commit] = [from ?? '', attemptCommit ?? ''];
    tip = attemptCommit;
    const [before, after] = [trees.get(parent), trees.get(commit)];
    const claim = claims?.keeps.find(keep => keep.n === n);
    const last = against;
    against = record && { n, record };
    if (!before || !after) return [];
    return {
      ...{ n, hypothesis: proposal?.hypothesis ?? '', rationale: proposal?.rationale ?? null, record },
      gain: gainOf(record?.mean ?? null, last?.record.mean ?? null, study.contract.metric.goal),
      ...{ probability: claim?.probability ?? null, isProven: claim?.isProven ?? false },
      isSimplification: verdict?.reason === 'simplified',
      ...(lines.get(commit) ?? { added: 0, removed: 0 }),
      ...{ parent, commit, before, after, against: last, at: startedAt },
    };
  });
  return { base, baseTree: trees.get(base) ?? '', baseline, keeps, measured };
}
