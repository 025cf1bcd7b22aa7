import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { RUN_MARKER } from './environment.ts';

export const LINUX_ONLY =
  'Pawl needs Linux, where /proc shows it every process of a run; on Windows use WSL 2, elsewhere a Linux machine.';

/** Identifies a process, even if a later one gets the same number. */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: number };

export type ProcessInfo = ProcessIdentity & {
  /** The program's name, cut by the kernel to 15 bytes. */
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter, see proc(5): `Z` and `X` are dead. */
  readonly state: string;
  /** User and system time in clock ticks, including children it has waited for. */
  readonly cpuTicks: number;
  /** Resident memory in pages. */
  readonly rssPages: number;
};

/** The unit of times in proc(5); 100 on every common Linux (USER_HZ). */
export const TICKS_PER_SECOND = 100;
export const PAGE_BYTES = 4096;

/** The highest field number that is read. */
const LAST_FIELD = 24;

/** Null if the process is gone. Source of the fields and their numbers: proc(5), /proc/pid/stat. */
export function readProcess(pid: number): ProcessInfo | null {
  const text = readStat(pid);
  if (text === null) return null;
  // The name may contain anything, even brackets; the fields begin after the last one.
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ', LAST_FIELD - 2);
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    state: fields[0] ?? 'X',
    parent: field(4),
    group: field(5),
    session: field(6),
    cpuTicks: field(14) + field(15) + field(16) + field(17),
    startTicks: field(22),
    rssPages: field(LAST_FIELD),
  };
}

/** The kernel returns the whole file, some hundred bytes, in one read. */
const stat = Buffer.alloc(4096);

/**
 * A machine has hundreds of processes. The kernel generates this file in microseconds. A thread pool would take ten
 * times as long, and so does `readFileSync`, which allocates a large buffer.
 */
function readStat(pid: number): string | null {
  let file: number | null = null;
  try {
    file = openSync(`/proc/${pid}/stat`, 'r');
    return stat.toString('latin1', 0, readSync(file, stat, 0, stat.length, null));
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** Every visible process of the machine, except zombies. */
export function listProcesses(): readonly ProcessInfo[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => readProcess(Number(name)))
    .filter(info => info !== null && isAlive(info)) as readonly ProcessInfo[];
}

function isAlive(info: ProcessInfo): boolean {
  return info.state !== 'Z' && info.state !== 'X';
}

/** The identity of a running process, or null. */
export function readIdentity(pid: number): ProcessIdentity | null {
  const info = readProcess(pid);
  return info && isAlive(info) ? { pid, startTicks: info.startTicks } : null;
}

/** `root` and all its descendants that were not re-parented, from the kernel's lists of children. */
export async function listTree(root: number): Promise<readonly ProcessInfo[]> {
  const found: ProcessInfo[] = [];
  let level = [root];
  const seen = new Set<number>();
  while (level.length > 0) {
    const fresh = level.filter(pid => !seen.has(pid));
    for (const pid of fresh) seen.add(pid);
    for (const info of fresh.map(readProcess)) if (info && isAlive(info)) found.push(info);
    level = (await Promise.all(fresh.map(listChildren))).flat();
  }
  return found;
}

async function listChildren(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    tasks.map(task => readFile(`/proc/${pid}/task/${task}/children`, 'latin1').catch(() => '')),
  );
  return lists.join(' ').split(' ').filter(Boolean).map(Number);
}

/** The run marker in the environment that a process was started with; null if it has none, or belongs to another user. */
export async function readMarker(pid: number): Promise<string | null> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  const entry = environment.split('\0').find(variable => variable.startsWith(`${RUN_MARKER}=`));
  return entry === undefined ? null : entry.slice(RUN_MARKER.length + 1);
}
