import { readFileSync } from 'node:fs';
import { PawlError } from '../../shared/errors.ts';
import { findByName, type KnownGpu } from '../../shared/machines/telemetry.ts';
import { counted } from '../../shared/numbers.ts';

/** A lane's machine, if it is not this one. */
export type Elsewhere = { readonly kind: 'slurm' } | { readonly kind: 'ssh'; readonly host: string };

/** What a host of ssh has for lanes. */
export type HostDevices = {
  readonly cores: readonly number[];
  /** Model of its processors; null where that is not known. */
  readonly processor: string | null;
  readonly gpus: readonly KnownGpu[];
  /** Why its GPUs are not known; null where they are. */
  readonly gpuFault: string | null;
};

/** A place where one run at a time is trained. */
export type LanePlace = {
  /** Null for this machine. */
  readonly elsewhere: Elsewhere | null;
  /** UUID or number of its GPU; null if the study or the user's environment chooses it. */
  readonly gpu: string | null;
  /** Numbers of its processor cores; null for all. */
  readonly cores: readonly number[] | null;
  /** Shown to the user; null if there is only one lane. */
  readonly label: string | null;
  /** As far as can be known in advance, runs are equally fast in all lanes of one kind. Shown to the user. */
  readonly kind: string;
  /** The model of its GPU, as runs there report it; null if that is not known in advance. */
  readonly model: string | null;
  /** As in `LaneState`: set once it is known what the baseline trains on. */
  readonly isScreening: boolean;
};

/** One run at a time, with the whole machine. */
const WHOLE: LanePlace = {
  elsewhere: null,
  gpu: null,
  cores: null,
  label: null,
  kind: 'this machine',
  model: null,
  isScreening: false,
};

/**
 * The lanes that the user has named; see `shared/machines/lanes.ts`. Throws `usage` if there are too few cores or if the lanes
 * are neither equally fast nor whole GPUs, and `gpu_missing` for a GPU that is missing or named twice.
 * @param chosen the study's own GPU, for lanes that name none
 */
export function findLanes(
  words: readonly string[],
  machine: {
    readonly cores: readonly number[];
    readonly gpus: readonly KnownGpu[];
    /** Of the hosts that are named, as far as they were asked. */
    readonly hosts?: ReadonlyMap<string, HostDevices>;
    /** Jobs at once where the user does not say how many; null where no cluster is set up. */
    readonly clusterLanes?: number | null;
  },
  chosen: string | null,
): readonly LanePlace[] {
  const lanes = words.flatMap(word => {
    const [kind, value] = splitOnce(word);
    if (word === 'slurm' || kind === 'slurm')
      return slurmLanes(kind ? Number(value) : null, machine.clusterLanes ?? null);
    if (kind === 'ssh') return hostLanes(value, machine.hosts ?? new Map());
    if (kind === 'gpu') return gpuLanes(value, machine.gpus);
    const isAny = kind === '' && machine.gpus.length > 0;
    return isAny ? firstGpus(Number(value), machine.gpus) : cpuLanes(Number(value), machine.cores, chosen);
  });
  const host = findTwice(
    lanes.flatMap(({ elsewhere, gpu, cores }) =>
      elsewhere?.kind === 'ssh' && gpu === null && cores === null ? [elsewhere.host] : [],
    ),
  );
  if (host !== undefined)
    throw new PawlError('usage', `${host} is named twice; as a whole it trains one run at a time.`);
  const gpu = findTwice(
    lanes.flatMap(({ elsewhere, gpu: own, cores }) =>
      own !== null && cores === null ? [elsewhere?.kind === 'ssh' ? `${own} of ${elsewhere.host}` : own] : [],
    ),
  );
  if (gpu !== undefined)
    throw new PawlError('usage', `The GPU ${gpu} is named twice; a lane has a GPU of its own.`);
  const ofCores = words.flatMap(word => /^(?:.*\/)?cpu:/.exec(word)?.[0] ?? []);
  if (findTwice(ofCores) !== undefined)
    throw new PawlError('usage', 'Name the cores once: "cpu:4" is four lanes.');
  const kinds = new Set(lanes.map(({ kind }) => kind));
  // Whole GPUs of other models can screen.
  if (kinds.size > 1 && lanes.some(({ model }) => model === null))
    throw new PawlError(
      'usage',
      `These lanes differ (${[...kinds].join(', ')}), so numbers measured in them cannot be compared. Choose lanes of one kind.`,
    );
  return lanes.length > 0 ? lanes : [{ ...WHOLE, gpu: chosen }];
}

function findTwice(names: readonly string[]): string | undefined {
  return names.find((name, place) => names.indexOf(name) !== place);
}

function splitOnce(word: string): readonly [string, string] {
  const at = word.indexOf(':');
  return [word.slice(0, Math.max(0, at)), word.slice(at + 1)];
}

const NOT_ASKED: HostDevices = { cores: [], processor: null, gpus: [], gpuFault: null };

/** @param value a host, and what of it: `lab`, `lab/whole`, `lab/gpu:0`, `lab/cpu:4` */
function hostLanes(value: string, hosts: ReadonlyMap<string, HostDevices>): readonly LanePlace[] {
  const [host = '', part] = value.split(/\/(.*)/);
  const devices = hosts.get(host) ?? NOT_ASKED;
  const { cores, gpus, gpuFault } = devices;
  const there = {
    ...WHOLE,
    elsewhere: { kind: 'ssh' as const, host },
    ...{ label: host, kind: kindOfHost(host, devices) },
  };
  if (part === 'whole') return [there];
  // A lane without a GPU, or with another number of them, would measure something else.
  if (gpuFault !== null && !part?.startsWith('cpu:'))
    throw new PawlError('gpu_missing', `Which GPUs ${host} has is not known: ${gpuFault}`);
  if (part === undefined && gpus.length === 0) return [there];
  const [kind, name] = splitOnce(part ?? 'gpu:all');
  const own = kind === 'cpu' ? cpuLanes(Number(name), cores, null, host) : gpuLanes(name, gpus, host);
  return own.map(lane => ({
    ...{ ...lane, elsewhere: there.elsewhere },
    label: `${host}, ${lane.label}`,
    kind: lane.cores === null ? lane.kind : kindOfCores(lane.cores.length, host, devices),
  }));
}

/** The kind of a lane that has all of a host. */
function kindOfHost(host: string, devices: HostDevices): string {
  const { cores, gpus, gpuFault } = devices;
  if (devices === NOT_ASKED || gpuFault !== null) return host;
  if (gpus.length === 0) return kindOfCores(cores.length, host, devices);
  return `all of ${gpus.map(({ name }) => name).join(', ')}`;
}

function kindOfCores(count: number, host: string, { processor }: HostDevices): string {
  return `${counted(count, 'core')} of ${processor ?? host}`;
}

function cpuLanes(
  count: number,
  cores: readonly number[],
  gpu: string | null,
  host?: string,
): readonly LanePlace[] {
  const where = host === undefined ? 'here' : `on ${host}`;
  if (count > cores.length)
    throw new PawlError(
      'usage',
      `cpu:${count} needs ${count} cores, but Pawl may use ${cores.length} ${where}: cpu:${cores.length} fits.`,
    );
  const each = Math.floor(cores.length / count);
  return Array.from({ length: count }, (_, lane) => {
    const own = cores.slice(lane * each, (lane + 1) * each);
    return {
      ...WHOLE,
      kind: 'cores of this machine',
      gpu,
      cores: own,
      label: own.length === 1 ? `core ${own[0]}` : `cores ${spell(own)}`,
    };
  });
}

function slurmLanes(count: number | null, clusterLanes: number | null): readonly LanePlace[] {
  if (clusterLanes === null)
    throw new PawlError(
      'usage',
      'No cluster is set up: add a [cluster] section to pawl.toml, or to settings.toml in the data folder.',
    );
  const lane = {
    ...WHOLE,
    elsewhere: { kind: 'slurm' as const },
    label: 'slurm',
    kind: 'jobs of the cluster',
  };
  return Array.from({ length: count ?? clusterLanes }, () => lane);
}

function firstGpus(count: number, gpus: readonly KnownGpu[]): readonly LanePlace[] {
  const all = gpuLanes('all', gpus);
  if (count > all.length)
    throw new PawlError('usage', `${count} lanes need ${count} GPUs, but Pawl sees ${all.length} here.`);
  return all.slice(0, count);
}

type Gpu = Pick<LanePlace, 'kind'> & {
  readonly index: number | null;
  readonly uuid: string;
  readonly label: string;
};

function gpuLanes(name: string, gpus: readonly KnownGpu[], host?: string): readonly LanePlace[] {
  const all = gpus.flatMap(({ index, uuid, name: model, instances = [] }): readonly Gpu[] =>
    instances.length > 0
      ? instances.map(instance => {
          const label = `${model}, ${instance.name}`;
          return { index: null, uuid: instance.uuid, label, kind: label };
        })
      : [{ index, uuid, label: `GPU ${index}: ${model}`, kind: model }],
  );
  const found = name === 'all' ? all : [findByName(all, name)].filter(gpu => gpu !== null);
  if (found.length === 0) {
    const there = all.map(({ uuid, label }) => `${label} (${uuid})`).join(', ');
    const where = host === undefined ? '' : ` on ${host}`;
    throw new PawlError(
      'gpu_missing',
      name === 'all'
        ? `gpu:all names the GPUs of ${host ?? 'this machine'}, but Pawl can see none.`
        : `There is no GPU ${name}${where}. There ${there === '' ? 'is none that Pawl can see' : `are ${there}`}.`,
    );
  }
  return found.map(({ uuid, index, label, kind }) => ({
    ...{ ...WHOLE, gpu: uuid || String(index), label, kind },
    // Other machines report the GPU of an instance.
    model: host !== undefined && index === null ? null : kind,
  }));
}

/** `0-3` for consecutive numbers; otherwise `0,2,4`. */
function spell(cores: readonly number[]): string {
  const isRow = cores.every((core, place) => core === (cores[0] ?? 0) + place);
  return isRow ? `${cores[0]}-${cores.at(-1)}` : cores.join(',');
}

/** Numbers of the processor cores that this process may use. Source: proc_pid_status(5), Cpus_allowed_list. */
export function usableCores(): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return parseCores(list);
}

/** Numbers in a list of the kernel's: `0-3,8`. */
export function parseCores(list: string): readonly number[] {
  return list.split(',').flatMap(part => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, place) => from + place);
  });
}
