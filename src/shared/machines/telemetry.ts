/** Measurements of one GPU. A field its driver does not know is absent, never 0. */
export type GpuSample = {
  readonly index: number;
  /** Absent for NVIDIA's GPUs. */
  readonly maker?: 'amd';
  readonly uuid: string;
  readonly name: string;
  readonly utilizationPercent?: number;
  readonly memoryUsedMib?: number;
  readonly memoryTotalMib?: number;
  readonly temperatureCelsius?: number;
  readonly powerWatts?: number;
  readonly powerLimitWatts?: number;
  readonly smClockMhz?: number;
  readonly memoryClockMhz?: number;
  readonly fanPercent?: number;
  readonly pcieGeneration?: number;
  readonly pcieLanes?: number;
  /** What limits the clock speed, one bit per reason; see {@link throttleWords}. */
  readonly throttleReasons?: number;
  /** 1 if it is split into instances. */
  readonly migMode?: number;
  /** The instances it is split into, as far as known. */
  readonly instances?: readonly GpuInstance[];
  /** The processes that compute on it; absent if there are none, or it is unknown. */
  readonly processes?: readonly GpuProcess[];
};

/** A GPU, as far as is known without asking how it does. */
export type KnownGpu = Pick<GpuSample, 'index' | 'uuid' | 'name' | 'instances'>;

/** The one of several GPUs and instances that a word means: by its number, or by as much of its UUID as names one. */
export function findByName<T extends { readonly index: number | null; readonly uuid: string }>(
  all: readonly T[],
  word: string,
): T | null {
  if (word === '') return null;
  const exact =
    all.find(({ index }) => index !== null && String(index) === word) ??
    all.find(({ uuid }) => uuid === word);
  const [first, ...more] = all.filter(({ uuid }) => uuid.startsWith(word));
  return exact ?? (first && more.length === 0 ? first : null);
}

/** A part of a GPU that is split by MIG. */
export type GpuInstance = { readonly uuid: string; readonly name: string };

/** A process that computes on a GPU. */
export type GpuProcess = {
  readonly uuid: string;
  readonly pid: number;
  readonly memoryMib?: number;
};

/** Bits of `throttleReasons`. Source: `nvmlClocksEventReasons` in NVML's header. */
export const THROTTLE = {
  idle: 0x1,
  applicationClocks: 0x2,
  powerCap: 0x4,
  hardwareSlowdown: 0x8,
  syncBoost: 0x10,
  thermal: 0x20,
  hardwareThermal: 0x40,
  powerBrake: 0x80,
  displayClocks: 0x100,
} as const;

const THROTTLE_WORDS: readonly (readonly [number, string])[] = [
  [THROTTLE.thermal | THROTTLE.hardwareThermal, 'too hot'],
  [THROTTLE.powerBrake, 'power brake'],
  [THROTTLE.hardwareSlowdown, 'slowed by the hardware'],
  [THROTTLE.powerCap, 'at its power limit'],
  [THROTTLE.applicationClocks | THROTTLE.syncBoost | THROTTLE.displayClocks, 'limited by a setting'],
];

/** What limits a GPU's clock speed, in words, most serious first; empty if only idleness does. */
export function throttleWords(reasons: number): readonly string[] {
  return THROTTLE_WORDS.filter(([bits]) => (reasons & bits) !== 0).map(([, words]) => words);
}

/** One second of the machine. */
export type TelemetrySample = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly host: {
    /** Of all cores together, 0 to 100; absent in the first sample, which has nothing to compare with. */
    readonly cpuPercent?: number;
    readonly memoryUsedBytes: number;
    readonly memoryTotalBytes: number;
    /** Load average of the last minute. */
    readonly load: number;
    /** Of all disks together since the last sample; absent in the first one, and if the kernel lists none. */
    readonly diskReadBytesPerSecond?: number;
    readonly diskWriteBytesPerSecond?: number;
    /** On the disk of Pawl's data. */
    readonly diskFreeBytes?: number;
    readonly diskTotalBytes?: number;
  };
  readonly gpus: readonly GpuSample[];
};

/** Why there are GPU numbers, or why not. */
export type GpuState =
  | { readonly kind: 'starting' }
  /** No tool for reading GPUs was found. */
  | { readonly kind: 'none' }
  | { readonly kind: 'sampling' }
  /** The tool exists but gives no data; `message` is its output. */
  | { readonly kind: 'failing'; readonly message: string };

/** A sample as named series, for the ledger and the charts: `cpu_percent`, `gpu0_utilization_percent`, … */
export function telemetrySeries(sample: TelemetrySample): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  const add = (name: string, value: number | undefined) => {
    if (value !== undefined && Number.isFinite(value)) values.set(name, value);
  };
  add('cpu_percent', sample.host.cpuPercent);
  add('host_memory_gib', sample.host.memoryUsedBytes / 1024 ** 3);
  add('host_load', sample.host.load);
  const { diskReadBytesPerSecond: read, diskWriteBytesPerSecond: written } = sample.host;
  add('disk_read_mib_per_second', read === undefined ? undefined : read / 1024 ** 2);
  add('disk_write_mib_per_second', written === undefined ? undefined : written / 1024 ** 2);
  for (const gpu of sample.gpus) {
    const prefix = `gpu${gpu.index}`;
    add(`${prefix}_utilization_percent`, gpu.utilizationPercent);
    add(`${prefix}_memory_mib`, gpu.memoryUsedMib);
    add(`${prefix}_temperature_celsius`, gpu.temperatureCelsius);
    add(`${prefix}_power_watts`, gpu.powerWatts);
    add(`${prefix}_sm_clock_mhz`, gpu.smClockMhz);
    add(`${prefix}_memory_clock_mhz`, gpu.memoryClockMhz);
    add(`${prefix}_fan_percent`, gpu.fanPercent);
    add(`${prefix}_throttle_reasons`, gpu.throttleReasons);
  }
  return values;
}
