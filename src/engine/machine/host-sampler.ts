import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TelemetrySample } from '../../shared/machines/telemetry.ts';
import { clamp } from '../../shared/numbers.ts';
import { TICKS_PER_SECOND } from '../process/process-table.ts';

type DiskBytes = { readonly at: number; readonly read: number; readonly written: number };

type CpuTicks = { readonly idle: number; readonly total: number };

/**
 * Reads processor, memory, load and disks of the machine from /proc, only on Linux. In a container, these are the
 * whole machine's numbers, not the container's share.
 */
export class HostSampler {
  readonly #folder: string;
  readonly #clock: () => number;
  #last: CpuTicks | null = null;
  #lastDisk: DiskBytes | null = null;

  /** @param clock milliseconds; monotonic */
  constructor(folder = '/proc', clock = () => performance.now()) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** The processor share and disk rates are averages since the last call. Throws if /proc cannot be read. */
  read(): TelemetrySample['host'] {
    const now = parseCpuTicks(this.#text('stat'));
    const cpuPercent = this.#last && busyPercent(this.#last, now);
    this.#last = now;
    const memory = parseMemory(this.#text('meminfo'));
    return {
      ...(cpuPercent !== null && { cpuPercent }),
      memoryUsedBytes: memory.totalBytes - memory.availableBytes,
      memoryTotalBytes: memory.totalBytes,
      load: parseLoad(this.#text('loadavg')),
      ...this.#diskRates(),
    };
  }

  #diskRates(): Partial<Pick<TelemetrySample['host'], 'diskReadBytesPerSecond' | 'diskWriteBytesPerSecond'>> {
    const before = this.#lastDisk;
    const now = parseDisks(this.#optional('diskstats'), this.#clock());
    this.#lastDisk = now;
    const seconds = before && now ? (now.at - before.at) / 1000 : 0;
    if (!before || !now || seconds <= 0) return {};
    return {
      // When a disk is removed, its counters disappear and the sum shrinks.
      diskReadBytesPerSecond: Math.max(0, now.read - before.read) / seconds,
      diskWriteBytesPerSecond: Math.max(0, now.written - before.written) / seconds,
    };
  }

  #optional(name: string): string {
    try {
      return this.#text(name);
    } catch {
      return '';
    }
  }

  #text(name: string): string {
    // The kernel generates these files in microseconds; a thread pool would take longer.
    return readFileSync(join(this.#folder, name), 'latin1');
  }
}

/**
 * A line of /proc/stat, by default the first, of all processors: user, nice, system, idle, iowait, irq, softirq,
 * steal, guest, guest_nice. User and nice include the guests' time. Source: proc_stat(5).
 */
function parseCpuTicks(text: string, name = 'cpu'): CpuTicks {
  const line = new RegExp(`^${name} +(.*)$`, 'm').exec(text)?.[1];
  if (line === undefined) throw new Error(`/proc/stat has no line ${name}`);
  const ticks = line.split(' ').slice(0, 8).map(Number);
  const [, , , idle = 0, ioWait = 0] = ticks;
  return { idle: idle + ioWait, total: ticks.reduce((sum, value) => sum + value, 0) };
}

/**
 * Busy seconds of the processors, added up since the machine started; null if unknown.
 * @param cores their numbers; null for all
 */
export function busyProcessorSeconds(cores: readonly number[] | null = null): number | null {
  try {
    const stat = readFileSync('/proc/stat', 'latin1');
    const parts = cores ? cores.map(core => parseCpuTicks(stat, `cpu${core}`)) : [parseCpuTicks(stat)];
    return parts.reduce((sum, { idle, total }) => sum + total - idle, 0) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** Null if no tick has passed. */
function busyPercent(before: CpuTicks, after: CpuTicks): number | null {
  const total = after.total - before.total;
  if (!(total > 0)) return null;
  const percent = 100 * (1 - (after.idle - before.idle) / total);
  // The kernel's iowait can go backwards (proc_stat(5)).
  return clamp(percent, 0, 100);
}

function parseMemory(text: string): { readonly totalBytes: number; readonly availableBytes: number } {
  const bytes = (name: string) => {
    const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    if (kibibytes === undefined) throw new Error(`/proc/meminfo has no ${name}`);
    return Number(kibibytes) * 1024;
  };
  return { totalBytes: bytes('MemTotal'), availableBytes: bytes('MemAvailable') };
}

/** The kernel's sector size in these files, whatever the disk's own. */
const SECTOR_BYTES = 512;
/** Whole disks; partitions and layers on top of them would count twice. */
const DISK = /^(?:(?:sd|vd|xvd|hd)[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

/** Bytes moved since the machine started; null if there is no disk. Source: the kernel's page on I/O statistics. */
function parseDisks(text: string, at: number): DiskBytes | null {
  const disks = text
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => DISK.test(fields[2] ?? ''));
  if (disks.length === 0) return null;
  const sum = (field: number) =>
    disks.reduce((total, fields) => total + SECTOR_BYTES * (Number(fields[field]) || 0), 0);
  return { at, read: sum(5), written: sum(9) };
}

function parseLoad(text: string): number {
  const load = Number.parseFloat(text);
  if (Number.isNaN(load)) throw new Error('/proc/loadavg has no load');
  return load;
}
