import { tokenCount } from '../../shared/charts/token-count.ts';
import { PawlError } from '../../shared/errors.ts';
import type { ExperimentDetail, RunView } from '../../shared/notebook.ts';
import { SUMMARY } from '../../shared/proposers/model-calls.ts';
import type { Experiment, Run, Study } from '../../shared/study.ts';
import { type ChangedFile, listChangedFiles, readDiff } from '../git/diff.ts';
import { openRepository } from '../git/repository.ts';
import { gpuEnergyWh } from '../machine/energy.ts';
import { awaitedUntil, findAwaited } from '../stages/measure/await-number.ts';
import type { Ledger } from '../store/ledger.ts';
import { orderSeries, summaryOf } from './series-view.ts';

/** Nobody reads a longer diff. */
export const DIFF_CHARACTERS = 2_000_000;

/** Rejects with `study_not_found`. */
export function requireStudy(ledger: Ledger, id: string): Study {
  const study = ledger.studies.get(id);
  if (!study) throw new PawlError('study_not_found', 'This study is no longer in the ledger.');
  return study;
}

/**
 * A study of Pawl's own, which can continue. Rejects with `study_not_found`, and for an imported one with
 * `study_read_only`.
 */
export function requireOwnStudy(ledger: Ledger, id: string): Study {
  const study = requireStudy(ledger, id);
  if (study.state === 'imported') {
    throw new PawlError(
      'study_read_only',
      `${study.tag} was imported: it can be read and annotated, but not run.`,
    );
  }
  return study;
}

/** Rejects with `experiment_not_found`. */
export function requireExperiment(ledger: Ledger, study: Study, n: number): Experiment {
  const experiment = ledger.experiments.get(study.id, n);
  if (!experiment) {
    throw new PawlError('experiment_not_found', `There is no experiment ${n} in ${study.tag}.`);
  }
  return experiment;
}

function runView(ledger: Ledger, study: Study, run: Run): RunView {
  const { runs } = ledger;
  const at = [study.id, run.n, run.k] as const;
  const names = runs.seriesNames(...at);
  return {
    k: run.k,
    purpose: run.purpose,
    commit: run.commit,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    outcome: run.outcome,
    summary: summaryOf(run),
    crash: run.crash,
    peakRssBytes: run.resources?.peakRssBytes ?? null,
    cpuSeconds: run.resources?.cpuSeconds ?? null,
    outputBytes: run.outputBytes,
    isContained: run.isContained,
    flags: run.fairness?.flags ?? [],
    series: orderSeries(names).map(name => ({ name, unit: run.units[name] ?? null })),
    hasTokens: tokenCount(names, summaryOf(run)) !== null,
    telemetry: orderSeries(runs.telemetryNames(...at)),
    // Older runs did not store their energy (nor their steps per second): compute it from the telemetry.
    gpuEnergyWh:
      run.fairness?.stepsPerSecond === undefined ? gpuEnergyWh(runs.telemetry(...at)) : run.gpuEnergyWh,
  };
}

/** Everything an opened cell shows except its diff, curves and log. Rejects with `…_not_found`. */
export async function readExperiment(ledger: Ledger, studyId: string, n: number): Promise<ExperimentDetail> {
  const study = requireStudy(ledger, studyId);
  const experiment = requireExperiment(ledger, study, n);
  const cell = ledger.cells.get(study.id, n);
  if (!cell) throw new Error(`experiment ${n} has no cell`);
  const awaited = findAwaited(ledger, study, n);
  return {
    cell,
    rationale: experiment.proposal?.rationale ?? null,
    evidence: experiment.verdict?.evidence ?? null,
    proposer: ledger.proposerCalls.author(study.id, n),
    mode: modeOf(experiment.proposal?.memo),
    reviewed:
      experiment.attemptCommit === null
        ? null
        : ledger.reviews.outcomeOf(study.id, n, experiment.attemptCommit),
    calls: ledger.modelCalls.list(study.id, n).filter(call => call.proposer !== SUMMARY),
    parentCommit: experiment.parentCommit,
    lineage: ledger.experiments.lineage(study.id, n),
    incumbent: experiment.verdict?.evidence.incumbentExperiment ?? null,
    files: await changedFiles(study, experiment),
    runs: ledger.runs.list(study.id, n).map(run => runView(ledger, study, run)),
    notes: ledger.notes.list(study.id, n),
    refusals: ledger.refusals
      .list(study.id)
      .filter(refusal => refusal.n === n)
      .map(({ at, reason, message, hypothesis }) => ({ n, at, reason, message, hypothesis })),
    imported: (study.importColumns ?? []).map((name, place) => ({
      name,
      value: experiment.imported?.[place] ?? '',
    })),
    awaitedUntil: awaited && awaitedUntil(study, awaited),
  };
}

/** The mode that the model proposer noted in its memo. */
function modeOf(memo: unknown): string | null {
  const mode = (memo as { readonly mode?: unknown } | null | undefined)?.mode;
  return typeof mode === 'string' ? mode : null;
}

/** Empty also when the repository is gone: the rest of the cell is still worth reading. */
async function changedFiles(study: Study, experiment: Experiment): Promise<readonly ChangedFile[]> {
  const { parentCommit, attemptCommit } = experiment;
  if (!parentCommit || !attemptCommit || parentCommit === attemptCommit) return [];
  try {
    return await listChangedFiles(await openRepository(study.repositoryPath), parentCommit, attemptCommit);
  } catch (error) {
    if (error instanceof PawlError) return [];
    throw error;
  }
}

/**
 * Diff from an experiment's parent, or from another experiment's attempt, to its attempt. Rejects with `…_not_found`
 * or `not_a_repository`.
 */
export async function readExperimentDiff(
  ledger: Ledger,
  studyId: string,
  n: number,
  against: number | undefined,
): Promise<{ readonly diff: string; readonly isCut: boolean }> {
  const study = requireStudy(ledger, studyId);
  const experiment = requireExperiment(ledger, study, n);
  const from =
    against === undefined ? experiment.parentCommit : requireExperiment(ledger, study, against).attemptCommit;
  const to = experiment.attemptCommit;
  if (!from || !to) {
    const which = !to ? n : (against ?? n);
    throw new PawlError('experiment_not_found', `Experiment ${which} has no commit to compare.`);
  }
  if (from === to) return { diff: '', isCut: false };
  const diff = await readDiff(await openRepository(study.repositoryPath), from, to);
  return { diff: diff.slice(0, DIFF_CHARACTERS), isCut: diff.length > DIFF_CHARACTERS };
}
