import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { readContract } from '../../src/engine/contract/load-contract.ts';
import { openRepository, readHeadCommit } from '../../src/engine/git/repository.ts';
import type { ContractChoices, Recognition } from '../../src/shared/contract/findings.ts';
import { createRepository, git } from './scaffold.ts';

/** The recognition of a repository with these files; files ending in `.sh` are executable. */
export async function recognized(
  files: Readonly<Record<string, string>>,
  choices: ContractChoices = {},
): Promise<Recognition> {
  const path = await createRepository(files);
  const scripts = Object.keys(files).filter(name => name.endsWith('.sh'));
  for (const name of scripts) {
    await chmod(join(path, name), 0o755);
    await git(path, 'add', '--chmod=+x', name);
  }
  if (scripts.length > 0) await git(path, 'commit', '--quiet', '--message=scripts');
  const repository = await openRepository(path);
  const head = await readHeadCommit(repository);
  if (!head) throw new Error('no commit');
  return readContract(repository, head, choices);
}

/** The four fields that may be asked for, and which of them are. */
export function asked({ draft, unclear }: Recognition) {
  const { editable, train, metric } = draft;
  return {
    editable,
    train,
    metric: metric.name,
    goal: metric.goal,
    unclear: unclear.map(({ name }) => name),
  };
}

export const UPSTREAM = {
  'train.py': 'LR = 0.1\nprint(f"val_bpb: {LR}")\n',
  'prepare.py': 'TIME_BUDGET = 300\n',
};
