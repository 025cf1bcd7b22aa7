import { homedir, machine, type } from 'node:os';
import { PawlError } from '../../../shared/errors.ts';
import type { RepeatPurpose, Study } from '../../../shared/study.ts';
import type { Fairness } from '../../../shared/verdicts/fairness.ts';
import type { LanePlace } from '../../lanes/find-lanes.ts';
import { isBelow } from '../../paths.ts';
import { jobMarker, runMarker } from '../../process/markers.ts';
import { WORKTREE_THERE } from '../../remote/describe-job.ts';
import { jobOfContract } from '../../remote/job-of-contract.ts';
import type {
  RemoteJob,
  RemotePhase,
  RemoteResult,
  RemoteTraining,
  RemoteWatch,
} from '../../remote/remote-training.ts';
import { environmentOf } from '../../sandbox/contain.ts';
import { sandboxMode } from '../../sandbox/find-sandbox.ts';
import type { TrainPorts } from './train-ports.ts';

/** How much a scorer can get from a run on another machine. */
const MAX_ARTIFACT_BYTES = 16 * 1024 ** 3;

/** Runs that tell which nodes there are. */
const RECENT_RUNS = 200;

/** Ends of a job that its commit did not cause. */
const LOST = ['preempted', 'requeued', 'node_failed', 'host_gone', 'cancelled', 'lost'] as const;

/** A run that no machine had taken yet makes way for something else; the message is what it waited for. */
export class PutOff extends Error {
  override readonly name = 'PutOff';
}

/** Why a run on another machine is to be run again whatever it printed; null where it counts. */
export function findLoss({ end }: RemoteResult): string | null {
  return LOST.some(kind => kind === end.kind) && 'message' in end ? end.message : null;
}

/** Where a run on another machine is, or what it waits for. */
export function describePhase({ label, gpu }: LanePlace, phase: RemotePhase): string {
  if (phase.kind === 'queued') return `${label}, queued${phase.reason === null ? '' : `: ${phase.reason}`}`;
  if (phase.kind === 'setting_up') return `${label}, ${phase.node}, setting up`;
  // The label of a lane with a GPU of its own says its model.
  return `${label}, ${phase.node}${phase.gpu === null || gpu !== null ? '' : `, ${phase.gpu}`}`;
}

/** A folder of the user's home is one of their home there. */
function inHomeThere(path: string, home: string): string {
  return isBelow(path, home) ? `~${path.slice(home.length)}` : path;
}

/** Whether a study's runs are contained on other machines. */
export function isContainedElsewhere({ contract }: Study, { userEnvironment }: TrainPorts): boolean {
  return sandboxMode(contract, userEnvironment) !== 'off';
}

/**
 * Trains one run on another machine. If the engine died while jobs of the same commit trained, the result of the oldest that no run
 * has is taken, so that nothing is trained twice. Rejects with `cannot_train` where nothing was trained and no other run would be, and
 * with {@link PutOff}.
 */
export async function trainElsewhere(
  study: Study,
  run: {
    readonly n: number;
    readonly k: number;
    readonly commit: string;
    readonly purpose: RepeatPurpose | null;
    readonly logPath: string;
  },
  remote: RemoteTraining,
  watch: RemoteWatch,
  ports: TrainPorts,
): Promise<RemoteResult> {
  const result =
    (await adopt(study, run, remote, watch, ports)) ?? (await begin(study, run, remote, watch, ports));
  const { end } = result;
  if (end.kind === 'put_off') throw new PutOff(end.message);
  if (end.kind === 'refused' || end.kind === 'no_sandbox' || end.kind === 'not_started')
    throw new PawlError('cannot_train', `Nothing was trained. ${end.message}`);
  return result;
}

type Run = Parameters<typeof trainElsewhere>[1];

async function adopt(
  study: Study,
  run: Run,
  remote: RemoteTraining,
  watch: RemoteWatch,
  ports: TrainPorts,
): Promise<RemoteResult | null> {
  const { ledger } = ports;
  for (const { marker, k } of ledger.jobs.untaken(study.id, { ...run, place: remote.place })) {
    // Marked first, so that no other run gets the result even if the engine dies before the job is removed.
    ledger.write(() => ledger.jobs.take(marker, run.k));
    const adopted = await remote.adopt(jobOf(study, run, k, ports), watch);
    if (adopted) return adopted;
  }
  return null;
}

async function begin(
  study: Study,
  run: Run,
  remote: RemoteTraining,
  watch: RemoteWatch,
  ports: TrainPorts,
): Promise<RemoteResult> {
  const { ledger, repository } = ports;
  const job = jobOf(study, run, run.k, ports);
  const { n, k } = run;
  const known = {
    marker: job.marker,
    studyId: study.id,
    n,
    k,
    place: remote.place,
    gitDir: repository.gitDir,
  };
  ledger.write(() => ledger.jobs.begin(known));
  return remote.train(job, watch);
}

/** What binds a run in a lane of a host. In a share of its cores it sees no GPU, because the others would see the same. */
function devicesOf({ gpu, cores }: LanePlace): Pick<RemoteJob, 'gpus' | 'cores'> {
  if (gpu !== null) return { gpus: [gpu] };
  return cores === null ? {} : { gpus: [], cores };
}

/** @param k of the run whose job it is or was */
function jobOf(study: Study, { n, commit, purpose, logPath }: Run, k: number, ports: TrainPorts): RemoteJob {
  const { repository, workbench, userEnvironment, namedData, compiled, place } = ports;
  const { contract } = study;
  const marker = runMarker(study.id, n, k);
  const own = jobMarker(study.id, n, k);
  return jobOfContract(contract, {
    ...{ marker, repository, commit, logPath, maxArtifactBytes: MAX_ARTIFACT_BYTES },
    environment: environmentOf(
      {
        ...{ contract, repository, folder: null, userEnvironment },
        ...{ worktree: workbench.path, shownAt: WORKTREE_THERE },
      },
      own,
    ),
    compiled: { kind: `${type()} ${machine()}`, paths: compiled },
    ...{ locked: workbench.lockedFiles(), observed: workbench.observedFiles() },
    seals: workbench.seals(contract.sandbox.writes),
    containment: isContainedElsewhere(study, ports) ? 'required' : 'off',
    dataFolders: namedData.map(path => inHomeThere(path, userEnvironment.HOME ?? homedir())),
    ...devicesOf(place),
    avoid: nodesToAvoid(study, n, purpose, ports),
  });
}

/**
 * Nodes that are known to have other hardware than the baseline's, where the number has to compare with the
 * incumbent's: a first run may be a screening.
 */
function nodesToAvoid(
  { id }: Study,
  n: number,
  purpose: RepeatPurpose | null,
  { ledger }: TrainPorts,
): readonly string[] {
  const isElsewhere = ({ flags }: Fairness) => flags.some(({ kind }) => kind === 'other_hardware');
  const isFirst =
    purpose === null && !ledger.runs.list(id, n).some(({ fairness }) => fairness && isElsewhere(fairness));
  if (isFirst) return [];
  const foreign = ledger.runs.latestFairness(id, RECENT_RUNS).filter(isElsewhere);
  return [...new Set(foreign.flatMap(({ node }) => node ?? []))].sort();
}
