import { gitOf, type Repository } from './repository.ts';
import { StayingGit } from './staying-git.ts';

/** The result of a transaction: git's exit code and, if it refused, its message. */
export type RefTransaction = { readonly exitCode: number; readonly stderr: string };

const writers = new Map<string, StayingGit>();

/**
 * Writes refs of a repository through one long-lived `git update-ref`. Source: git-update-ref(1), "start", "commit".
 * @param commands for `update-ref --stdin -z`; either all of them happen or none
 */
export async function writeRefs(repository: Repository, commands: string): Promise<RefTransaction> {
  const { gitDir } = repository;
  const args = ['update-ref', '--stdin', '-z'];
  const writer = writers.get(gitDir) ?? new StayingGit(gitDir, ['--git-dir', gitDir, ...args]);
  writers.set(gitDir, writer);
  const isCommitted = (printed: Buffer) => (printed.includes('commit: ok\n') ? true : null);
  const answer = await writer.ask(`start\0${commands}commit\0`, isCommitted);
  if (answer.kind === 'answer') return { exitCode: 0, stderr: '' };
  const { exitCode, stderr } = answer;
  if (exitCode !== null && stderr !== '') return { exitCode, stderr };
  // If the process could not be started, or ended before the request, the refs are unchanged.
  return gitOf(repository, args, { stdin: commands, accept: [0, 128] });
}
