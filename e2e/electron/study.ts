import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import type { StudyCard } from '../../src/shared/notebook.ts';
import { ask } from './calls.ts';

/**
 * A training in which every change improves on the baseline. The baseline never waits. Later runs wait while the file
 * `hold` exists, and fail while `crash` exists. Every run fails while `broken` exists.
 */
const trainer = (control: string) => `LR=2
DEPTH=4
if [ "$LR-$DEPTH" != 2-4 ]; then
  while [ -e '${control}/hold' ]; do sleep 0.05; done
  [ -e '${control}/crash' ] && exit 3
fi
[ -e '${control}/broken' ] && exit 3
[ "$LR-$DEPTH" = 2-4 ] && value=1.064 || value=1.05
printf -- '---\\nval_bpb: %s\\n' "$value"
`;

const CONTRACT = `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "val_bpb"
[budget]
seconds = 300
limit_seconds = 600
`;

/** A repository whose training a test can pause, continue and break. */
export type Bench = {
  readonly repository: string;
  /** Creates the file of that name, which the training looks for. */
  set(name: 'hold' | 'crash' | 'broken'): Promise<void>;
  unset(name: 'hold' | 'crash' | 'broken'): Promise<void>;
  remove(): Promise<void>;
};

export async function makeBench(): Promise<Bench> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pawl-bench-')));
  const repository = join(folder, 'repo');
  const control = join(folder, 'control');
  await mkdir(repository);
  await mkdir(control);
  await writeFile(join(repository, 'train.sh'), trainer(control));
  await writeFile(join(repository, 'pawl.toml'), CONTRACT);
  const git = (...args: string[]) =>
    promisify(execFile)('git', ['-c', 'user.name=Tester', '-c', 'user.email=tester@localhost', ...args], {
      cwd: repository,
    });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message=start');
  return {
    repository,
    set: name => writeFile(join(control, name), ''),
    unset: name => rm(join(control, name), { force: true }),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Starts a study there, with the search as its proposer and so many experiments besides the baseline. */
export function startStudy(page: Page, bench: Bench, experiments: number): Promise<StudyCard> {
  return ask(page, 'studies/start', {
    path: bench.repository,
    tag: 'night',
    proposer: { kind: 'search', seed: 1 },
    stop: { experiments },
  });
}
