import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, type ProcessIdentity, type ProcessInfo, readMarker } from './process-table.ts';

export type KillTimes = {
  /** How long processes may take to end after SIGTERM. */
  readonly askMs: number;
  /** How long to check after SIGKILL before they are reported as survivors. */
  readonly verifyMs: number;
};

export const KILL_TIMES: KillTimes = { askMs: 5_000, verifyMs: 5_000 };

/** Between two looks at the process table, while waiting for processes that are not children of this one. */
const POLL_MS = 20;
const MAX_POLL_MS = 160;

export type KillTarget = {
  /** Accepts the run marker's value. */
  readonly hasMarker: (marker: string) => boolean;
  /** The run's first process: its session, its group and its descendants belong to the run. */
  readonly root: ProcessIdentity | null;
  /** Processes that were once seen below the root, wherever they are now. */
  readonly tracked: Iterable<ProcessIdentity>;
};

/**
 * Ends every process of a run: SIGTERM, wait, SIGKILL, and check. Returns those that survived. `ask: false` skips
 * SIGTERM and the wait, for processes that outlived a run which ended by itself.
 *
 * A process belongs to the run by its marker (which daemons inherit), by having been seen below the root, by the
 * root's session or group, or by having such a process as an ancestor. One that cleared its environment *and* left
 * the tree between two samples is not found.
 */
export async function killTree(
  target: KillTarget,
  times: KillTimes,
  options: { readonly ask: boolean },
): Promise<readonly number[]> {
  if (options.ask) await askToEnd(target, times.askMs);
  let alive = await findProcesses(target);
  const deadline = performance.now() + times.verifyMs;
  while (alive.length > 0 && performance.now() < deadline) {
    signal(alive, 'SIGKILL');
    await delay(POLL_MS);
    alive = await findProcesses(target);
  }
  return alive.map(info => info.pid);
}

/**
 * Sends each process SIGTERM once, including those that others start meanwhile, and waits until none is left. If a process
 * has become another program since, it gets the signal again: a child just before `exec` may have lost the first.
 * What a process starts after it was asked may be how it ends: a handler that copies its checkpoint, for example.
 */
async function askToEnd(target: KillTarget, limitMs: number): Promise<void> {
  const asked = new Map<number, string>();
  const deadline = performance.now() + limitMs;
  for (let pause = POLL_MS; performance.now() < deadline; pause = Math.min(2 * pause, MAX_POLL_MS)) {
    const alive = await findProcesses(target);
    if (alive.length === 0) return;
    const fresh = alive.filter(
      ({ pid, name, parent }) => asked.get(pid) !== name && (asked.has(pid) || !asked.has(parent)),
    );
    for (const { pid, name } of fresh) asked.set(pid, name);
    signal(fresh, 'SIGTERM');
    // A stopped process reacts only to this signal and SIGKILL.
    signal(fresh, 'SIGCONT');
    await delay(pause);
  }
}

function signal(processes: readonly ProcessInfo[], name: NodeJS.Signals): void {
  for (const info of processes) {
    try {
      process.kill(info.pid, name);
    } catch {
      // It has ended, or this user may not end it; the final check will tell.
    }
  }
}

async function findProcesses(target: KillTarget): Promise<readonly ProcessInfo[]> {
  const all = listProcesses().filter(info => info.pid !== process.pid);
  const tracked = new Map([...target.tracked].map(identity => [identity.pid, identity.startTicks]));
  const { root } = target;
  const isTracked = (info: ProcessInfo) =>
    tracked.get(info.pid) === info.startTicks ||
    // Just after the fork, the root is still in the engine's session and has the engine's environment.
    (root !== null && [info.pid, info.session, info.group].includes(root.pid));
  // No process older than the run can belong to it.
  const young = all.filter(info => root === null || info.startTicks >= root.startTicks);
  const belongs = new Set(young.filter(isTracked).map(info => info.pid));
  await Promise.all(
    young.map(async ({ pid }) => {
      if (belongs.has(pid)) return;
      const marker = await readMarker(pid);
      if (marker !== null && target.hasMarker(marker)) belongs.add(pid);
    }),
  );
  for (let size = -1; size !== belongs.size; ) {
    size = belongs.size;
    for (const info of all) if (belongs.has(info.parent)) belongs.add(info.pid);
  }
  return all.filter(info => belongs.has(info.pid));
}
