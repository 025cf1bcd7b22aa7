import { PawlError } from '../../shared/errors.ts';
import type { Hardware } from '../../shared/fairness.ts';
import type { Study } from '../../shared/study.ts';
import { findLanes, type HostDevices, type LanePlace, parseCores, usableCores } from '../lanes/find-lanes.ts';
import { hardwareDifference, processorModel } from '../machine/hardware.ts';
import type { Telemetry } from '../machine/telemetry.ts';
import { askDevices } from '../remote/ssh/ask-devices.ts';
import { SshClient } from '../remote/ssh/ssh-client.ts';

/** A driver that has not answered by then has no GPUs. */
const GPU_WAIT_MS = 60_000;

/**
 * Where the runs of a study are trained. Rejects with `usage` or `gpu_missing` for what is not there, and with `cannot_train` for a
 * host that does not say what it has.
 */
export async function findPlaces(
  { lanes, gpu }: Pick<Study, 'lanes' | 'gpu'>,
  telemetry: Telemetry | undefined,
  clusterLanes: number | null,
): Promise<readonly LanePlace[]> {
  const namesGpus = lanes.some(word => /^(?:gpu:|\d)/.test(word));
  const gpus = namesGpus ? ((await telemetry?.knownGpus(GPU_WAIT_MS)) ?? []) : [];
  const names = new Set(lanes.flatMap(word => /^ssh:([^/]+)/.exec(word)?.[1] ?? []));
  const hosts = new Map(await Promise.all([...names].map(async host => [host, await ask(host)] as const)));
  return findLanes(lanes, { cores: usableCores(), gpus, hosts, clusterLanes }, gpu);
}

/** Rejects with `usage` if what the lanes train on is known, and is not what the baseline trained on. */
export async function requireSameHardware(
  places: readonly LanePlace[],
  baseline: Hardware | null,
  telemetry: Telemetry | undefined,
): Promise<void> {
  if (!baseline) return;
  for (const place of places.filter(({ isScreening }) => !isScreening)) {
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

async function ask(host: string): Promise<HostDevices> {
  // The connection is left open: the runs there go over it, too.
  const devices = await askDevices(await SshClient.open(host));
  if ('fault' in devices)
    throw new PawlError('cannot_train', `What ${host} has for lanes is not known. ${devices.fault}`);
  return { ...devices, cores: parseCores(devices.cores) };
}
