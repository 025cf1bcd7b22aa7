import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Splits `cd folder && rest` into the folder ('' if none) and the rest. */
export function splitFolder(commandLine: string): { readonly folder: string; readonly rest: string } {
  const found = /^\s*cd\s+(?:'([^']{1,300})'|([\w./-]{1,300}))\s*&&\s*(.*)$/s.exec(commandLine);
  return { folder: found?.[1] ?? found?.[2] ?? '', rest: found?.[3] ?? commandLine };
}

/** The program a shell command line starts: its first word that is not `NAME=value`. Null where unclear. */
export function firstProgram(commandLine: string): string | null {
  const { rest } = splitFolder(commandLine);
  for (const match of rest.trim().matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)) {
    const word = match[1] ?? match[2] ?? match[3] ?? '';
    if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) continue;
    return /[$`(){}<>|&;]/.test(word) ? null : word;
  }
  return null;
}

/** Words that every POSIX shell handles itself. */
const SHELL_WORDS = new Set([
  ...[
    '!',
    '.',
    ':',
    '[',
    'cd',
    'case',
    'command',
    'echo',
    'eval',
    'exec',
    'exit',
    'export',
    'false',
    'for',
    'if',
  ],
  ...[
    'printf',
    'set',
    'source',
    'test',
    'time',
    'trap',
    'true',
    'type',
    'ulimit',
    'umask',
    'unset',
    'until',
    'wait',
    'while',
  ],
]);

/** The absolute path of a program as a shell would find it, or null. Shell words are returned as they are. */
export async function findProgram(program: string, path: string): Promise<string | null> {
  if (SHELL_WORDS.has(program)) return program;
  if (isAbsolute(program)) return (await isExecutable(program)) ? program : null;
  for (const entry of path.split(delimiter)) {
    const candidate = join(entry, program);
    if (entry && (await isExecutable(candidate))) return candidate;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Whether a command line runs in uv's project environment. */
export function usesUv(command: string): boolean {
  return /\buv\b/.test(command);
}
