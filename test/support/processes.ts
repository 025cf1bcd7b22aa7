import { readdir, readFile } from 'node:fs/promises';

/** The letter for a process's state in proc(5); null if no process has that number. */
export async function processState(pid: number | string): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The name stands before it, in parentheses, and may contain parentheses.
  return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? null;
}

/** Whether the process is alive and not a zombie. */
export async function lives(pid: number | string): Promise<boolean> {
  const state = await processState(pid);
  return state !== null && state !== 'Z' && state !== 'X';
}

/** Signals a process, or with a negative number a group, that may have ended by itself. */
export function killIfThere(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Living processes that carry the study's mark in their environment. */
export function findMarked(studyId: string): Promise<readonly number[]> {
  return findRunsWith(`PAWL_RUN=${studyId}/`);
}

/** Living run processes of any study with this text in their environment. */
export async function findRunsWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '');
    const isRun = environment.includes('PAWL_RUN=') && environment.includes(text);
    if (isRun && (await lives(name))) found.push(Number(name));
  }
  return found;
}
