import type { CurrentExperiment, StudyCard } from '../../shared/notebook.ts';
import { isLeft } from '../../shared/phases.ts';
import type { Spend } from '../../shared/proposers/model-calls.ts';
import type { Study } from '../../shared/study.ts';
import { REPEAT_WORDS } from '../../shared/verdicts/repeats.ts';
import { branchRef } from '../git/refs.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import { keepByVersion } from '../store/keep-by-version.ts';
import type { Ledger } from '../store/ledger.ts';
import { sittingPace } from './sitting-pace.ts';

type Sums = Pick<StudyCard, 'tally' | 'gpuEnergyWh' | 'isContained'>;

const keepSums = keepByVersion<Sums>();

/** A study's current state, read from the ledger. */
export function studyCard(
  ledger: Ledger,
  study: Study,
  { wish, isStarting }: { readonly wish: CurrentExperiment['wish']; readonly isStarting: boolean },
): StudyCard {
  const { experiments } = ledger;
  const isOn = study.state === 'running' || study.state === 'paused';
  const last = experiments.lastNumber(study.id);
  const newest = last === null ? null : experiments.get(study.id, last);
  const inFlight = isOn ? findInFlight(ledger, study, wish) : [];
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
    ...sumsOf(ledger, study),
    claims: assessStudy(ledger, study),
    spend: spendOf(ledger, study.id),
    gpu: study.gpu,
    capUsd: study.capUsd,
    title: study.title,
    archivedAt: study.archivedAt,
    asksApproval: study.asksApproval,
    cells: last === null ? 0 : last + 1,
    // An imported study counts as new, whenever its experiments ran.
    activeAt: newest && study.state !== 'imported' ? (newest.endedAt ?? newest.startedAt) : study.createdAt,
    ideas: ledger.ideas.count(study.id),
    waiting: findWaiting(ledger, study.id),
    current: currentOf(inFlight),
    ...{ inFlight, lanes: study.lanes, otherLines: study.otherLines },
    isStarting,
    pace: isOn ? sittingPace(ledger, study) : null,
  };
}

function sumsOf(ledger: Ledger, { id, contract }: Study): Sums {
  const { runs, experiments } = ledger;
  const version = `${runs.measuredVersion(id)} ${runs.open().map(({ run }) => run)}`;
  return keepSums(ledger, id, version, () => ({
    tally: experiments.tally(id, contract.metric.goal),
    gpuEnergyWh: runs.gpuEnergyWh(id),
    isContained: runs.isContained(id),
  }));
}

function findWaiting(ledger: Ledger, studyId: string): StudyCard['waiting'] {
  for (const { n } of ledger.experiments.unfinished(studyId)) {
    const review = ledger.reviews.open(studyId, n);
    if (review) return { n, review: review.id };
  }
  return null;
}

function spendOf(ledger: Ledger, studyId: string): Spend | null {
  const spend = ledger.modelCalls.spend(studyId);
  return spend.calls === 0 ? null : spend;
}

function findInFlight(
  ledger: Ledger,
  study: Study,
  wish: CurrentExperiment['wish'],
): readonly CurrentExperiment[] {
  const unfinished = ledger.experiments.unfinished(study.id).filter(({ phase }) => !isLeft(phase));
  const open = ledger.runs.open().filter(run => run.studyId === study.id);
  const numbers = new Set([...unfinished, ...open].map(({ n }) => n));
  return [...numbers]
    .sort((a, b) => a - b)
    .flatMap(n => {
      const experiment = ledger.experiments.get(study.id, n);
      if (!experiment) return [];
      const run = ledger.runs.list(study.id, n).find(({ outcome }) => outcome === null);
      return [
        {
          n,
          phase: run?.purpose ? ('training' as const) : experiment.phase,
          hypothesis: run?.purpose ? REPEAT_WORDS[run.purpose] : (experiment.proposal?.hypothesis ?? null),
          run: run ? { k: run.k, startedAt: run.startedAt, lane: run.lane } : null,
          wish,
        },
      ];
    });
}

/** A training experiment goes first: one with a verdict may be training again while another waits for it. */
function currentOf(inFlight: readonly CurrentExperiment[]): CurrentExperiment | null {
  return inFlight.find(({ run }) => run !== null) ?? inFlight[0] ?? null;
}
