import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Stack } from '../src/shared/stack.ts';
import { pawl, sitting } from './support/pawl.ts';
import { fastRepository, git, snapshotUserState, temporaryFolder } from './support/scaffold.ts';

/** Experiment 1 makes LR as good as can be, 2 makes DEPTH so, and 3 would spoil LR. */
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
case $n in 1) edit='s/^LR=2/LR=8/' ;; 2) edit='s/^DEPTH=4/DEPTH=8/' ;; *) edit='s/^LR=8/LR=1/' ;; esac
sed -i "$edit" train.sh
echo "{\\"hypothesis\\":\\"Idea number $n\\"}"`;

test('the terminal shows a stack, takes it to git, and has the study train it without one', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  await git(repository, 'config', 'user.name', 'Ada');
  await git(repository, 'config', 'user.email', 'ada@localhost');
  await sitting(['run', repository, '--tag', 'night', '--command', PROPOSER, '-n', '2'], { home });
  const before = await snapshotUserState(repository);
  const stack = (...args: string[]) => pawl(['stack', repository, ...args], { home });

  const shown = await stack();
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/#1 .*\+0\.06 .*\+1 −1 +measured +Idea number 1\n/);
  expect(shown.stdout).toContain('Exactly this was measured as experiment 2: val_bpb 1.000800.');
  expect((await stack('--order', '#2')).stdout).toMatch(/#2 .* untested .*\n *#1 .* measured as #2 /);
  const json = async (...args: string[]) => JSON.parse((await stack(...args, '--json')).stdout) as Stack;
  expect(await json('--drop', '1')).toMatchObject({
    steps: [{ n: 2, state: 'untested' }],
    measured: null,
    author: 'Ada <ada@localhost>',
  });

  const folder = join(await temporaryFolder(), 'out');
  const taken = await stack('--sign-off', '--patches', folder, '--pr', join(home, 'pr.md'));
  expect(taken).toMatchObject({ code: 0 });
  expect(await readdir(folder)).toEqual(['0001-Idea-number-1.patch', '0002-Idea-number-2.patch']);
  expect(await readFile(join(folder, '0002-Idea-number-2.patch'), 'utf8')).toContain(
    'Pawl-Experiment: 2\nSigned-off-by: Ada <ada@localhost>\n---',
  );
  expect(await readFile(join(home, 'pr.md'), 'utf8')).toContain('| Idea number 1 | +0.06 |');
  expect((await stack('--pr', '-', '--drop', '2')).stdout).toMatch(/^# Idea number 1\n/);
  const mbox = (await stack('--patches', '-')).stdout;
  expect(mbox.match(/^Subject: .*$/gm)).toEqual([
    'Subject: [PATCH 1/2] Idea number 1',
    'Subject: [PATCH 2/2] Idea number 2',
  ]);
  expect(await snapshotUserState(repository)).toBe(before);
  expect(await stack('--branch', 'mine', '--json')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"count": 2'),
  });
  expect(await git(repository, 'diff', 'mine', 'autoresearch/night')).toBe('');
  expect(await stack('--branch', 'mine')).toMatchObject({
    code: 2,
    stderr: 'pawl: The branch mine already exists, or another one blocks its name. Choose another name.\n',
  });
  expect(await stack('--drop', '7')).toMatchObject({
    code: 2,
    stderr: 'pawl: #7 is not a kept experiment of night; these are: #1, #2.\n',
  });

  expect((await stack('--without', '1')).stderr).toContain('the stack without #1');
  await sitting(['resume', repository, '-n', '3'], { home });
  expect(await json('--drop', '1')).toMatchObject({
    steps: [{ n: 2, state: 'measured', by: { n: 3, record: { mean: 1.0608 } } }],
    measured: { n: 3 },
  });
});
