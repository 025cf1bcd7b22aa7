import { execFile } from 'node:child_process';
import { findProgram } from '../../process/find-program.ts';

/** Slurm's own programs give up after some retries; one that hangs anyway must not hang a study. */
const LIMIT_MS = 60_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** Variables that only Slurm's programs need; a job is not to see them. */
export const FOR_CLIENTS = [
  ...['LC_ALL', 'LD_LIBRARY_PATH'],
  ...['SBATCH_ACCOUNT', 'SBATCH_PARTITION', 'SBATCH_QOS', 'SBATCH_RESERVATION', 'SBATCH_CONSTRAINT'],
];

/**
 * All that Slurm's programs see of the user's environment. The scheduler stores what `sbatch` sees, and other variables
 * change what the programs do.
 */
const CLIENT_VARIABLES = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SLURM_CONF', ...FOR_CLIENTS];

/** Slurm's messages when it cannot answer, as opposed to refusing. */
const UNREACHABLE =
  /Unable to contact slurm controller|Socket timed out|Connection refused|connect failure|Transport endpoint|Zero Bytes were transmitted|temporarily unable|Unable to establish|communication (?:connection )?failure|Resource temporarily unavailable/i;

type Answer =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'unreachable' | 'refused'; readonly message: string };

type SlurmProgram = 'sbatch' | 'squeue' | 'scancel' | 'sacct' | 'sinfo';

export type SlurmCall = {
  readonly stdin?: string;
  /** Receives its complaints before it ends: sbatch may retry for minutes. */
  readonly onSaid?: (said: string) => void;
  /** If it is aborted, the answer is not awaited: Slurm counts as unreachable. */
  readonly signal?: AbortSignal;
};

/** Calls one of Slurm's programs. */
export type SlurmClient = (
  program: SlurmProgram,
  args: readonly string[],
  call?: SlurmCall,
) => Promise<Answer>;

export function slurmClient(user: NodeJS.ProcessEnv): SlurmClient {
  const environment: NodeJS.ProcessEnv = {};
  for (const name of CLIENT_VARIABLES) if (user[name] !== undefined) environment[name] = user[name];
  environment.LC_ALL = 'C';
  return async (program, args, { stdin = '', onSaid = () => {}, signal } = {}) => {
    const path = await findProgram(program, user.PATH ?? '');
    if (path === null) return { kind: 'refused', message: `${program} was not found on the PATH.` };
    const options = {
      ...(signal ? { signal } : {}),
      env: environment,
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_BYTES,
    } as const;
    return new Promise(resolve => {
      const child = execFile(path, [...args], options, (error, stdout, stderr) => {
        if (error === null) return resolve({ kind: 'answer', text: stdout });
        const said = told(stderr) || told(stdout) || error.message;
        const isUnreachable = error.killed === true || signal?.aborted === true || UNREACHABLE.test(stderr);
        resolve({ kind: isUnreachable ? 'unreachable' : 'refused', message: `${program}: ${said}` });
      });
      child.stderr?.on('data', (said: string) => onSaid(`${program}: ${told(said)}`));
      // It may end before it has read everything.
      child.stdin?.on('error', () => {});
      child.stdin?.end(stdin);
    });
  };
}

/** Removes the program's name from the start of each line. */
function told(text: string): string {
  const lines = text.split('\n').map(line => line.replace(/^\w+: (?:error: |fatal: )?/, '').trim());
  return lines.filter(Boolean).join(' ').slice(-1_000);
}
