import { availableParallelism } from 'node:os';
import type { Crash, Run, RunOutcome, Summary } from '../../../shared/study.ts';
import type { Fairness, Hardware } from '../../../shared/verdicts/fairness.ts';
import { processorModel } from '../../machine/hardware.ts';
import { studyFolder } from '../../paths.ts';
import type { RemoteResult } from '../../remote/remote-training.ts';
import { settleCaches } from '../../sandbox/run-caches.ts';
import type { Ledger } from '../../store/ledger.ts';
import { judgeFairness, type ProcessorTime } from '../judge/fairness.ts';
import { claimOf } from '../score/claims.ts';
import type { Scored } from '../score/score-attempt.ts';
import type { BegunRun } from './begin-run.ts';
import type { ConductedRun } from './conduct-run.ts';
import { endedWell } from './ended-run.ts';
import type { MachineWatch } from './machine-watch.ts';
import type { TrainPorts } from './train-ports.ts';

/** How many earlier runs determine the study's usual clock speeds. */
const NORM_RUNS = 50;

/** The results of a run that matter for its fairness. */
export type Findings = {
  readonly outcome: RunOutcome;
  readonly summary: Summary | null;
  readonly crash: Crash | null;
  readonly scored: Scored | null;
  /** Why it says nothing about its commit; null where it counts. */
  readonly loss: string | null;
};

/** Judges whether the run had the same conditions as the study's other runs. */
export async function fairnessOfRun(
  begun: BegunRun,
  conducted: ConductedRun,
  { outcome, summary, crash, scored, loss }: Findings,
  ports: TrainPorts,
): Promise<Fairness> {
  const { study, baseline } = begun;
  const { place } = ports;
  const { budget, metric, score } = study.contract;
  const { observer, trained, there } = conducted;
  const steps = summary?.num_steps ?? observer.steps.last();
  const isWhole = endedWell(outcome);
  const cold = isWhole && crash === null ? await settleColdCaches(begun, steps, ports) : null;
  const seen = await observer.machine.seen();
  return judgeFairness({
    summary,
    claim: score ? claimOf(summary, baseline?.summary ?? null, metric.name) : null,
    ...{ cold, loss, steps, seconds: trained.seconds },
    ...(scored?.values ? { scoreSeconds: scored.seconds } : {}),
    processors: processorTime(conducted, ports),
    cores: budget.cores,
    stepsPerSecond: outcome.kind === 'exit' ? observer.steps.get() : null,
    sameCode: fairnessOfSameCode(begun, ports),
    wallSeconds: there ? there.seconds : conducted.wallSeconds,
    awakeSeconds: there ? there.seconds : conducted.awakeSeconds,
    ...seen,
    hardware: there ? hardwareThere(there, place.model) : hardwareHere(seen, place.model),
    baselineHardware: baselineHardware(ports.ledger, study.id),
    node: there?.node ?? null,
    earlier: ports.ledger.runs.latestFairness(study.id, NORM_RUNS),
  });
}

/** Why a complete run of the baseline that filled the caches does not count; null for any other run. */
async function settleColdCaches(
  { study, n, purpose, surroundings: { caches } }: BegunRun,
  steps: number | null,
  { ledger, paths, folder }: TrainPorts,
): Promise<string | null> {
  if (!caches || n !== 0 || purpose !== null) return null;
  return settleCaches(studyFolder(paths, study.id), folder, {
    ...{ ...caches, steps, maxBytes: study.contract.sandbox.cacheMb * 1024 ** 2 },
    stepsWhenCold: coldRun(ledger.runs.list(study.id, 0))?.fairness?.steps ?? null,
  });
}

/** The baseline's run that filled the caches. */
function coldRun(runs: readonly Run[]): Run | undefined {
  return runs.find(({ fairness }) => fairness?.flags.some(({ kind }) => kind === 'cold'));
}

/** @param model of the lane's GPU, for a driver that does not answer */
function hardwareHere(
  { gpu, isUsed }: Awaited<ReturnType<MachineWatch['seen']>>,
  model: string | null,
): Hardware {
  return { gpu: (isUsed !== false && (gpu[0]?.name ?? model)) || null, processor: processorModel() };
}

function hardwareThere({ gpus, processor }: RemoteResult, model: string | null): Hardware {
  const names = [...new Set(gpus.map(({ name }) => name))].sort();
  return { gpu: names.join(' and ') || model, processor };
}

/** What the baseline trained on; null as long as that is not known. */
export function baselineHardware(ledger: Ledger, studyId: string): Hardware | null {
  for (const { fairness } of ledger.runs.list(studyId, 0)) if (fairness?.hardware) return fairness.hardware;
  return null;
}

function fairnessOfSameCode(
  { study, n, commit, purpose }: BegunRun,
  { ledger }: TrainPorts,
): readonly Fairness[] {
  const isSame = (run: Run) =>
    run.commit === commit &&
    run.outcome?.kind === 'exit' &&
    (run.purpose === 'probe') === (purpose === 'probe');
  return (
    ledger.runs
      .list(study.id, n)
      .filter(isSame)
      .flatMap(({ fairness }) => fairness ?? [])
      // Other clock speeds may have made it faster than it should be.
      .filter(({ flags }) => flags.every(({ kind }) => kind !== 'clocks'))
  );
}

function processorTime(
  { there, trained, busySeconds }: ConductedRun,
  { place }: TrainPorts,
): ProcessorTime | null {
  const own = trained.resources.cpuSeconds;
  if (there || own === null || busySeconds === null) return null;
  return { own, all: busySeconds, cores: place.cores?.length ?? availableParallelism() };
}
