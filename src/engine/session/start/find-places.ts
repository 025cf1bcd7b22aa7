import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import type { Hardware } from '../../../shared/verdicts/fairness.ts';
import {
  findLanes,
  type HostDevices,
  type LanePlace,
  parseCores,
  usableCores,
} from '../../lanes/find-lanes.ts';
import { hardwareDifference, processorModel } from '../../machine/hardware.ts';
import type { Telemetry } from '../../machine/telemetry.ts';
import { askDevices } from '../../remote/ssh/ask-devices.ts';
import { SshClient } from '../../remote/ssh/ssh-client.ts';

/** A driver that has not answered by then has no GPUs. */
const GPU_WAIT_MS = 60_000;

export type FoundPlaces = {
  readonly places: readonly LanePlace[];
  /** Hosts whose lanes are not known, because they did not answer. */
  readonly away: readonly AwayHost[];
};

export type AwayHost = {
  readonly host: string;
  /** Why it did not answer. */
  readonly fault: string;
  /**
   * Asks it again; null if it does not answer. Rejects like {@link findPlaces} if its lanes cannot be used, or not
   * beside the others.
   */
  readonly ask: (signal: AbortSignal) => Promise<readonly LanePlace[] | null>;
};

/**
 * Where the runs of a study are trained. Rejects with `usage` or `gpu_missing` for what is not there, with `cannot_train` if all
 * lanes are on hosts that do not answer, and with the signal's reason if hosts were still being asked when it was aborted.
 */
export async function findPlaces(
  { lanes, gpu }: Pick<Study, 'lanes' | 'gpu'>,
  telemetry: Telemetry | undefined,
  clusterLanes: number | null,
  signal: AbortSignal = new AbortController().signal,
): Promise<FoundPlaces> {
  const namesGpus = lanes.some(word => /^(?:gpu:|\d)/.test(word));
  const gpus = namesGpus ? ((await telemetry?.knownGpus(GPU_WAIT_MS)) ?? []) : [];
  const hosts = new Map<string, HostDevices>();
  const isKnown = (word: string) => hosts.has(hostOf(word) ?? '') || hostOf(word) === null;
  const find = () =>
    findLanes(lanes.filter(isKnown), { cores: usableCores(), gpus, hosts, clusterLanes }, gpu);
  const askHost = async (host: string, limit: AbortSignal) => {
    const devices = await ask(host, limit);
    if ('fault' in devices) return devices.fault;
    hosts.set(host, devices);
    return null;
  };
  const names = [...new Set(lanes.flatMap(word => hostOf(word) ?? []))];
  const asked = names.map(async host => ({ host, fault: await askHost(host, signal) }));
  const answers = await Promise.all(asked);
  const away = answers.flatMap(({ host, fault }) => (fault === null ? [] : [{ host, fault }]));
  if (away.length > 0) signal.throwIfAborted();
  if (away.length > 0 && !lanes.some(isKnown))
    throw new PawlError('cannot_train', away.map(describeUnknown).join(' '));
  const askAgain = async (host: string, limit: AbortSignal) => {
    if ((await askHost(host, limit)) !== null) return null;
    try {
      return find().filter(({ elsewhere }) => elsewhere?.kind === 'ssh' && elsewhere.host === host);
    } catch (error) {
      // Otherwise no other host could be added.
      hosts.delete(host);
      throw error;
    }
  };
  return {
    places: find(),
    away: away.map(({ host, fault }) => ({ host, fault, ask: limit => askAgain(host, limit) })),
  };
}

/** The host that a lane names; null if it names none. */
function hostOf(word: string): string | null {
  return /^ssh:([^/]+)/.exec(word)?.[1] ?? null;
}

function describeUnknown({ host, fault }: Pick<AwayHost, 'host' | 'fault'>): string {
  return `What ${host} has for lanes is not known. ${fault}`;
}

/**
 * Rejects with `usage` if what the lanes train on is known, and is not what the baseline trained on. Lanes that screen may
 * differ, if there are others.
 */
export async function requireSameHardware(
  places: readonly LanePlace[],
  baseline: Hardware | null,
  telemetry: Telemetry | undefined,
): Promise<void> {
  if (!baseline) return;
  const counting = places.filter(({ isScreening }) => !isScreening);
  for (const place of counting.length > 0 ? counting : places) {
    const here = place.elsewhere ? null : processorModel();
    const known = { gpu: place.model ?? (await onlyModel(place, baseline, telemetry)), processor: here };
    const difference = hardwareDifference(known, baseline);
    if (difference !== null)
      throw new PawlError(
        'usage',
        `Runs would train ${difference}, and such numbers do not compare. Choose lanes like the baseline's, or begin a new study.`,
      );
  }
}

/** The model of this machine's GPUs where all are of one; the environment chooses among them. */
async function onlyModel(
  { elsewhere }: LanePlace,
  { gpu }: Hardware,
  telemetry: Telemetry | undefined,
): Promise<string | null> {
  if (elsewhere || gpu === null) return null;
  const gpus = (await telemetry?.knownGpus(GPU_WAIT_MS)) ?? [];
  const [model, ...others] = new Set(gpus.map(({ name }) => name));
  return others.length === 0 && gpus.every(({ instances = [] }) => instances.length === 0)
    ? (model ?? null)
    : null;
}

async function ask(host: string, signal: AbortSignal): Promise<HostDevices | { readonly fault: string }> {
  // The connection is left open: the runs there go over it, too.
  const devices = await askDevices(await SshClient.open(host), signal);
  return 'fault' in devices ? devices : { ...devices, cores: parseCores(devices.cores) };
}
