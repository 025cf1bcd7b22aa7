import { PawlError } from '../../shared/errors.ts';
import { SUMMARY } from '../../shared/proposers/model-calls.ts';
import type { Experiment, Study } from '../../shared/study.ts';
import { supersededAmong } from '../../shared/verdicts/late.ts';
import { eachExperiment } from '../export/export-study.ts';
import { type CommitEdit, readEdits } from '../git/read-edits.ts';
import { openRepository } from '../git/repository.ts';
import type { Ledger } from '../store/ledger.ts';
import type { ProposerCall } from '../store/proposer-calls.ts';
import type { RunRow } from '../store/runs.ts';
import { gainOf, sumKnown, type Trial } from './trial.ts';

/** Rows that are read once for the whole study and used by several parts. */
export type Rows = {
  readonly calls: readonly ProposerCall[];
  readonly costs: ReturnType<Ledger['modelCalls']['studyCosts']>;
  readonly runs: readonly RunRow[];
};

export function readRows(ledger: Ledger, studyId: string): Rows {
  return {
    calls: ledger.proposerCalls.list(studyId),
    costs: ledger.modelCalls.studyCosts(studyId),
    runs: ledger.runs.rows(studyId),
  };
}

/** Every experiment with a verdict, in the order of the verdicts, with everything a debrief needs. If the repository is gone, `edit` is null. */
export async function readTrials(
  ledger: Ledger,
  study: Study,
  rows: Rows,
  { hasEdits }: { readonly hasEdits: boolean } = { hasEdits: true },
): Promise<readonly Trial[]> {
  const { goal } = study.contract.metric;
  const authors = new Map(
    rows.calls.flatMap(({ n, proposer, outcome }) =>
      outcome === 'proposed' ? [[n, proposer] as const] : [],
    ),
  );
  const costs = Map.groupBy(
    rows.costs.filter(({ proposer }) => proposer !== SUMMARY),
    ({ n }) => n,
  );
  const runs = Map.groupBy(rows.runs, ({ n }) => n);
  const experiments = [...eachExperiment(ledger, study)]
    .filter(isJudged)
    .sort((a, b) => Number(a.verdictOrder) - Number(b.verdictOrder));
  const superseded = supersededAmong(experiments);
  const edits = hasEdits ? await readEditsOf(study, experiments) : new Map<string, CommitEdit>();
  let incumbent: number | null = null;
  return experiments.map(experiment => {
    const { n, verdict, record, attemptCommit } = experiment;
    const isKeep = verdict.word === 'keep';
    const against = isKeep ? incumbent : (verdict.evidence.incumbentMetric ?? incumbent);
    if (isKeep && !superseded.has(n)) incumbent = record?.mean ?? incumbent;
    return {
      ...experiment,
      supersededBy: superseded.get(n) ?? null,
      proposer: authors.get(n) ?? null,
      runs: runs.get(n) ?? NO_RUNS,
      edit: edits.get(attemptCommit ?? '') ?? null,
      gain: gainOf(record?.mean ?? null, against, goal),
      costUsd: sumKnown((costs.get(n) ?? []).map(({ usd }) => usd)),
    };
  });
}

const NO_RUNS: readonly RunRow[] = [];

function isJudged(experiment: Experiment): experiment is Experiment & Pick<Trial, 'verdict' | 'endedAt'> {
  return experiment.verdict !== null && (experiment.endedAt !== null || experiment.imported !== null);
}

async function readEditsOf(
  study: Study,
  experiments: readonly Experiment[],
): Promise<ReadonlyMap<string, CommitEdit>> {
  if (study.state === 'imported') return new Map();
  const commits = experiments.flatMap(({ attemptCommit, n }) =>
    attemptCommit && n > 0 ? [attemptCommit] : [],
  );
  try {
    return await readEdits(await openRepository(study.repositoryPath), commits);
  } catch (error) {
    // The study can be read without its repository.
    if (error instanceof PawlError) return new Map();
    throw error;
  }
}
