import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from './find-program.ts';
import type { RunLimits } from './limits.ts';

/** The limit counts threads, and GPU programs have many. */
const THREADS_A_PROCESS = 8;
/** A group can be removed only once the kernel no longer lists any of its processes. */
const REMOVE_TRIES = 20;
const REMOVE_PAUSE_MS = 25;

const SYSTEM = {
  self: '/proc/self/cgroup',
  root: '/sys/fs/cgroup',
  systemd: '/run/systemd/system',
  linger: '/var/lib/systemd/linger',
};
type SystemFiles = typeof SYSTEM;

/** A run's control group: the kernel enforces its limits. Source: Documentation/admin-guide/cgroup-v2.rst. */
export type Cgroup = {
  /** The file that takes the number of a process to add to the group. */
  readonly processes: string;
  /** Whether the kernel ended one of its processes because of the memory limit. */
  hasRunOut(): Promise<boolean>;
  remove(): Promise<void>;
};

/**
 * A group for a run, if this process can make one: beside its own group or inside it, if both controllers are
 * delegated. Null elsewhere: without cgroup v2 or without delegation (a container, a session over ssh).
 */
export async function makeCgroup(
  name: string,
  limits: RunLimits,
  files: SystemFiles = SYSTEM,
): Promise<Cgroup | null> {
  const own = /^0::(\/.*)$/m.exec(readKernelFile(files.self))?.[1];
  if (own === undefined) return null;
  const here = join(files.root, own);
  for (const parent of own === '/' ? [here] : [dirname(here), here]) {
    const handedDown = readKernelFile(join(parent, 'cgroup.subtree_control'));
    const controllers = handedDown.trim().split(/\s+/);
    if (!controllers.includes('memory') || !controllers.includes('pids')) continue;
    const group = await fillGroup(join(parent, name), limits).catch(() => null);
    if (group) return group;
  }
  return null;
}

/** The kernel generates this file in microseconds. Empty if there is none. */
function readKernelFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function fillGroup(folder: string, limits: RunLimits): Promise<Cgroup> {
  await mkdir(folder);
  try {
    await writeFile(join(folder, 'memory.max'), String(limits.memoryBytes));
    await writeFile(join(folder, 'pids.max'), String(limits.processes * THREADS_A_PROCESS));
    // Swap included, because a run that swaps cannot be measured. The kernel ends all of its processes, not just one.
    await writeFile(join(folder, 'memory.swap.max'), '0').catch(() => {});
    await writeFile(join(folder, 'memory.oom.group'), '1').catch(() => {});
  } catch (error) {
    await rmdir(folder).catch(() => {});
    throw error;
  }
  return {
    processes: join(folder, 'cgroup.procs'),
    async hasRunOut() {
      const events = await readFile(join(folder, 'memory.events'), 'utf8').catch(() => '');
      return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0) > 0;
    },
    async remove() {
      for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
        const isGone = await rmdir(folder).then(
          () => true,
          error => (error as NodeJS.ErrnoException).code === 'ENOENT',
        );
        if (isGone) return;
        await delay(REMOVE_PAUSE_MS);
      }
    },
  };
}

/**
 * The command prefix that runs a command in a systemd scope of the user's, with the same limits. Empty unless the
 * user's systemd outlives the last log-out: without lingering, the session's end would end the scope too.
 */
export async function userScope(
  environment: Readonly<Record<string, string | undefined>>,
  limits: RunLimits,
  files: SystemFiles = SYSTEM,
): Promise<readonly string[]> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot || !environment.XDG_RUNTIME_DIR || !existsSync(files.systemd)) return [];
  if (!existsSync(join(files.linger, userInfo().username))) return [];
  const program = await findProgram('systemd-run', environment.PATH ?? '');
  if (program === null) return [];
  return [
    ...[program, '--user', '--scope', '--quiet', '--collect'],
    `--property=MemoryMax=${limits.memoryBytes}`,
    `--property=TasksMax=${limits.processes * THREADS_A_PROCESS}`,
    '--',
  ];
}
