import type { Spend } from '../../shared/model-calls.ts';
import type { CurrentExperiment, StudyCard } from '../../shared/notebook.ts';
import { REPEAT_WORDS } from '../../shared/repeats.ts';
import type { Study } from '../../shared/study.ts';
import { branchRef } from '../git/refs.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import type { Ledger } from '../store/ledger.ts';
import { sittingPace } from './sitting-pace.ts';

/** How a study stands, read from the ledger. */
export function studyCard(
  ledger: Ledger,
  study: Study,
  { wish, isStarting }: { readonly wish: CurrentExperiment['wish']; readonly isStarting: boolean },
): StudyCard {
  const { experiments } = ledger;
  const isOn = study.state === 'running' || study.state === 'paused';
  const last = experiments.lastNumber(study.id);
  const newest = last === null ? null : experiments.get(study.id, last);
  return {
    id: study.id,
    tag: study.tag,
    branch: study.state === 'imported' ? null : branchRef(study.tag).replace('refs/heads/', ''),
    repositoryPath: study.repositoryPath,
    gitDir: study.gitDir,
    contract: study.contract,
    proposer: study.proposer,
    stop: study.stop,
    state: study.state,
    stopReason: study.stopReason,
    stopDetail: study.stopDetail,
    createdAt: study.createdAt,
    baseCommit: study.baseCommit,
    importedFrom: study.importedFrom,
    tally: experiments.tally(study.id, study.contract.metric.goal),
    claims: assessStudy(ledger, study),
    spend: spendOf(ledger, study.id),
    gpu: study.gpu,
    capUsd: study.capUsd,
    title: study.title,
    archivedAt: study.archivedAt,
    gpuEnergyWh: ledger.runs.gpuEnergyWh(study.id),
    isContained: ledger.runs.isContained(study.id),
    asksApproval: study.asksApproval,
    cells: last === null ? 0 : last + 1,
    // What was imported is new here, whenever it ran.
    activeAt: newest && study.state !== 'imported' ? (newest.endedAt ?? newest.startedAt) : study.createdAt,
    ideas: ledger.ideas.count(study.id),
    waiting: findWaiting(ledger, study.id),
    current: isOn ? findCurrent(ledger, study, wish) : null,
    isStarting,
    pace: isOn ? sittingPace(ledger, study) : null,
  };
}

function findWaiting(ledger: Ledger, studyId: string): StudyCard['waiting'] {
  const newest = ledger.experiments.unfinished(studyId).at(-1);
  const review = newest && ledger.reviews.open(studyId, newest.n);
  return review ? { n: review.n, review: review.id } : null;
}

function spendOf(ledger: Ledger, studyId: string): Spend | null {
  const spend = ledger.modelCalls.spend(studyId);
  return spend.calls === 0 ? null : spend;
}

function findCurrent(
  ledger: Ledger,
  study: Study,
  wish: CurrentExperiment['wish'],
): CurrentExperiment | null {
  const open = ledger.runs.open().find(run => run.studyId === study.id);
  const unfinished = ledger.experiments.unfinished(study.id).find(({ phase }) => phase !== 'interrupted');
  // What has its verdict may be trained again while another waits.
  const experiment = open ? ledger.experiments.get(study.id, open.n) : unfinished;
  if (!experiment) return null;
  const run = ledger.runs.list(study.id, experiment.n).find(({ outcome }) => outcome === null);
  return {
    n: experiment.n,
    phase: run?.purpose ? 'training' : experiment.phase,
    hypothesis: run?.purpose ? REPEAT_WORDS[run.purpose] : (experiment.proposal?.hypothesis ?? null),
    run: run ? { k: run.k, startedAt: run.startedAt } : null,
    wish,
  };
}
