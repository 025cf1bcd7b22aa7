import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, type ProcessIdentity, type ProcessInfo, readMarker } from './process-table.ts';

export type KillTimes = {
  /** How long the processes may take to end by themselves after SIGTERM. */
  readonly askMs: number;
  /** How long to look for them after SIGKILL before they are reported as survivors. */
  readonly verifyMs: number;
};

export const KILL_TIMES: KillTimes = { askMs: 5_000, verifyMs: 5_000 };

/** Between two looks at the process table while waiting for processes that are not our children. */
const POLL_MS = 20;
const MAX_POLL_MS = 160;

export type KillTarget = {
  /** Accepts the run marker's value. */
  readonly hasMarker: (marker: string) => boolean;
  /** The process the run was started as: its session, its group and its descendants belong to the run. */
  readonly root: ProcessIdentity | null;
  /** Processes seen below the root at some time, wherever they have gone since. */
  readonly tracked: Iterable<ProcessIdentity>;
};

/**
 * Ends every process of a run: SIGTERM, wait, SIGKILL, and look again. Returns what is still there.
 * With `ask: false` the waiting is left out, for what outlived a run that ended by itself.
 *
 * A process belongs to the run by its marker (which daemons inherit), by having been seen below the root, by
 * the root's session or group, or by having such a process as an ancestor. One that cleared its environment
 * *and* left the tree between two samples is not found.
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
 * Asks each process once, also one that is started while the others end, and waits until none is left. One that has
 * become another program since is asked again: of a child that is about to become one, the first time may have come to nothing.
 */
async function askToEnd(target: KillTarget, limitMs: number): Promise<void> {
  const asked = new Map<number, string>();
  const deadline = performance.now() + limitMs;
  for (let pause = POLL_MS; performance.now() < deadline; pause = Math.min(2 * pause, MAX_POLL_MS)) {
    const alive = await findProcesses(target);
    if (alive.length === 0) return;
    const fresh = alive.filter(({ pid, name }) => asked.get(pid) !== name);
    for (const { pid, name } of fresh) asked.set(pid, name);
    signal(fresh, 'SIGTERM');
    // A stopped process acts on no signal but this one and SIGKILL.
    signal(fresh, 'SIGCONT');
    await delay(pause);
  }
}

function signal(processes: readonly ProcessInfo[], name: NodeJS.Signals): void {
  for (const info of processes) {
    try {
      process.kill(info.pid, name);
    } catch {
      // It ended meanwhile, or is not ours to end; the look afterwards tells.
    }
  }
}

async function findProcesses(target: KillTarget): Promise<readonly ProcessInfo[]> {
  const all = listProcesses().filter(info => info.pid !== process.pid);
  const tracked = new Map([...target.tracked].map(identity => [identity.pid, identity.startTicks]));
  const { root } = target;
  const isTracked = (info: ProcessInfo) =>
    tracked.get(info.pid) === info.startTicks ||
    // For a moment after it was forked the root is in our own session, and has our environment.
    (root !== null && [info.pid, info.session, info.group].includes(root.pid));
  // Nothing older than the run can be part of it.
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
