import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from './find-program.ts';
import type { RunLimits } from './limits.ts';

/** Tasks are threads; programs for GPUs have many. */
const THREADS_A_PROCESS = 8;
/** A group can be removed when the last of its processes is gone from the kernel's lists. */
const REMOVE_TRIES = 20;
const REMOVE_PAUSE_MS = 25;

const SYSTEM = {
  self: '/proc/self/cgroup',
  root: '/sys/fs/cgroup',
  systemd: '/run/systemd/system',
  linger: '/var/lib/systemd/linger',
};
type SystemFiles = typeof SYSTEM;

/** A control group of one run: the kernel holds its limits. Source: Documentation/admin-guide/cgroup-v2.rst. */
export type Cgroup = {
  /** File that takes the number of a process which is to be in it. */
  readonly processes: string;
  /** Whether the kernel ended one of its processes because of the limit of memory. */
  hasRunOut(): Promise<boolean>;
  remove(): Promise<void>;
};

/**
 * A group for a run where this process may make one: beside its own, or in it, where both controllers are handed down. Null
 * elsewhere: without cgroup v2, without delegation (a container, a session over ssh).
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

/** The kernel makes such a file from memory, in microseconds. Empty where there is none. */
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
    // Including swap: a run that swaps cannot be measured. All of its processes end, not just one.
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
 * What puts a command into a scope of the user's systemd, with the same limits. Only where that lives on after the last
 * log-out: without lingering it ends with the session, and every scope of it. Empty elsewhere.
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
