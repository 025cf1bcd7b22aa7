import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { RUN_MARKER } from './environment.ts';

export const LINUX_ONLY =
  'Pawl needs Linux, where /proc shows it every process of a run; on Windows use WSL 2, elsewhere a Linux machine.';

/** A process that cannot be confused with a later one of the same number. */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: number };

export type ProcessInfo = ProcessIdentity & {
  /** Of the program it runs, cut by the kernel to 15 bytes. */
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter as in proc(5): `Z` and `X` are dead. */
  readonly state: string;
  /** User and system time, its own and that of children it has waited for, in clock ticks. */
  readonly cpuTicks: number;
  /** Resident memory in pages. */
  readonly rssPages: number;
};

/** proc(5) gives times in these; 100 on every Linux that matters (USER_HZ). */
export const TICKS_PER_SECOND = 100;
export const PAGE_BYTES = 4096;

/** The last of the fields that is read. */
const LAST_FIELD = 24;

/** Source of the fields and their numbers: proc(5), /proc/pid/stat. Null when the process is gone. */
export function readProcess(pid: number): ProcessInfo | null {
  const text = readStat(pid);
  if (text === null) return null;
  // The name may hold anything, also brackets; the fields begin behind the last one.
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

/** The kernel makes such a file at one read, of some hundred bytes. */
const stat = Buffer.alloc(4096);

/**
 * A machine has hundreds of processes. The kernel makes this file from memory in microseconds: a thread pool would take ten times as long, and so
 * does `readFileSync`, which makes room for a large file.
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

/** Every process of the machine that can be seen, zombies left out. */
export function listProcesses(): readonly ProcessInfo[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => readProcess(Number(name)))
    .filter(info => info !== null && isAlive(info)) as readonly ProcessInfo[];
}

function isAlive(info: ProcessInfo): boolean {
  return info.state !== 'Z' && info.state !== 'X';
}

/** Identity of a process that runs now, or null. */
export function readIdentity(pid: number): ProcessIdentity | null {
  const info = readProcess(pid);
  return info && isAlive(info) ? { pid, startTicks: info.startTicks } : null;
}

/** `root` and everything below it that has not been re-parented, from the kernel's own child lists. */
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

/** Value of the run marker in a process's environment as it was started; null where it has none or is not ours. */
export async function readMarker(pid: number): Promise<string | null> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  const entry = environment.split('\0').find(variable => variable.startsWith(`${RUN_MARKER}=`));
  return entry === undefined ? null : entry.slice(RUN_MARKER.length + 1);
}
