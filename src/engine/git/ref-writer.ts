import { gitOf, type Repository } from './repository.ts';
import { StayingGit } from './staying-git.ts';

/** How a transaction ended; the exit code of a git that refused it, with its words. */
export type RefTransaction = { readonly exitCode: number; readonly stderr: string };

const writers = new Map<string, StayingGit>();

/**
 * Writes refs of a repository through one `git update-ref` that stays.
 * Source: git-update-ref(1), "start", "commit".
 * @param commands of `update-ref --stdin -z`, all or none of which happen
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
  // One that could not be started, or had ended before it was asked, says nothing of the refs.
  return gitOf(repository, args, { stdin: commands, accept: [0, 128] });
}
