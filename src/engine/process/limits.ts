import { statfsSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Contract } from '../../shared/contract/contract.ts';
import type { RunOutcome } from '../../shared/study.ts';
import { PAGE_BYTES, type ProcessInfo } from './process-table.ts';

/** Limits on what a run may use. */
export type RunLimits = {
  /** For all of its processes together. */
  readonly memoryBytes: number;
  readonly processes: number;
  /** A folder on the disk it writes to, and how much has to stay free there. */
  readonly disk: { readonly folder: string; readonly minFreeBytes: number };
};

/** The rest is for the engine, the window and the system. */
export const MEMORY_SHARE = 0.95;
export const DEFAULT_PROCESSES = 4096;
/** Minimum time between two exact sums of a run's memory. */
const EXACT_PAUSE_MS = 1_000;
export const FREE_SHARE = 0.1;
export const MAX_FREE_BYTES = 256 * 1024 ** 2;

/**
 * The limits of one run. RLIMIT_AS would not do, because CUDA and sanitizers reserve far more addresses than they
 * use; nor would RLIMIT_NPROC, which counts all processes of the user.
 */
export function limitsFor(settings: Contract['limits'], folder: string): RunLimits {
  const { bavail, bsize } = statfsSync(folder);
  const least = Math.min(MAX_FREE_BYTES, bavail * bsize * FREE_SHARE);
  return {
    memoryBytes: memoryBytesOf(settings),
    processes: settings.processes ?? DEFAULT_PROCESSES,
    disk: {
      folder,
      minFreeBytes: Math.floor(settings.freeDiskGb === null ? least : settings.freeDiskGb * 1024 ** 3),
    },
  };
}

/** How much memory a run may take. */
export function memoryBytesOf({ memoryGb }: Contract['limits']): number {
  return Math.floor(memoryGb === null ? totalmem() * MEMORY_SHARE : memoryGb * 1024 ** 3);
}

type Limited = Extract<RunOutcome, { kind: 'limited' }>;

/** Returns a function that finds the limit a run's processes have passed, or null. */
export function limitWatch(limits: RunLimits): (tree: readonly ProcessInfo[]) => Promise<Limited | null> {
  let exactAgainAt = 0;
  return tree => {
    const isExact = performance.now() >= exactAgainAt;
    // The exact sum is expensive, so it is not repeated for a while.
    if (isExact && isAbove(limits, tree)) exactAgainAt = performance.now() + EXACT_PAUSE_MS;
    return findPassedLimit(limits, tree, isExact);
  };
}

function residentBytes(tree: readonly ProcessInfo[]): number {
  return tree.reduce((sum, { rssPages }) => sum + rssPages * PAGE_BYTES, 0);
}

function isAbove({ memoryBytes }: RunLimits, tree: readonly ProcessInfo[]): boolean {
  return residentBytes(tree) > memoryBytes;
}

async function findPassedLimit(
  limits: RunLimits,
  tree: readonly ProcessInfo[],
  isExact: boolean,
): Promise<Limited | null> {
  const { memoryBytes, processes, disk } = limits;
  if (tree.length > processes) {
    return limited('processes', `It had ${tree.length} processes; the limit is ${processes}.`);
  }
  // The quick sum counts shared pages once per process; the exact sum costs more.
  if (isExact && isAbove(limits, tree)) {
    const shares = await Promise.all(tree.map(proportionalBytes));
    const used = shares.reduce((sum, bytes) => sum + bytes, 0);
    if (used > memoryBytes) return outOfMemory(used, memoryBytes);
  }
  const { bavail, bsize } = await statfs(disk.folder).catch(() => ({
    bavail: Number.POSITIVE_INFINITY,
    bsize: 1,
  }));
  if (bavail * bsize < disk.minFreeBytes) {
    return limited('disk', `The disk was full: less than ${mebibytes(disk.minFreeBytes)} were free.`);
  }
  return null;
}

export function outOfMemory(used: number | null, limit: number): Limited {
  const taken = used === null ? 'more memory' : mebibytes(used);
  return limited('memory', `Out of memory: it took ${taken}; the limit is ${mebibytes(limit)}.`);
}

function limited(limit: Limited['limit'], message: string): Limited {
  return { kind: 'limited', limit, message };
}

/** The process's own memory plus its share of shared memory. Source: proc_pid_smaps(5), smaps_rollup. */
async function proportionalBytes({ pid, rssPages }: ProcessInfo): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(rollup)?.[1];
  return kibibytes === undefined ? rssPages * PAGE_BYTES : Number(kibibytes) * 1024;
}

function mebibytes(bytes: number): string {
  const size = bytes / 1024 ** 2;
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size).toLocaleString('en')} MiB`;
}
