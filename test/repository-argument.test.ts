import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pawl } from './support/pawl.ts';
import { fastRepository, temporaryFolder } from './support/scaffold.ts';

/** Two repositories with a study of one experiment each, and a folder that is neither. */
async function twoStudies() {
  const home = await temporaryFolder();
  const elsewhere = await temporaryFolder();
  const [first, second] = [await fastRepository(), await fastRepository()];
  for (const [repository, tag] of [
    [first, 'first'],
    [second, 'second'],
  ] as const) {
    expect((await pawl(['run', repository, '--tag', tag, '-n', '0'], { home })).code).toBe(0);
  }
  const ask = (...args: string[]) => pawl(args, { home, cwd: elsewhere });
  return { home, elsewhere, first, second, ask };
}

test('what looks at a study takes the repository as an argument and as an option', async () => {
  const { first, ask } = await twoStudies();
  for (const args of [['status'], ['results'], ['export'], ['show', '0']]) {
    const byOption = await ask(...args, '-C', first);
    expect(byOption).toMatchObject({ code: 0, stderr: '' });
    expect(await ask(...args, first)).toEqual(byOption);
  }
  expect((await ask('status', first)).stdout).toContain('Study first in');
  // Without either it is the latest study of all.
  expect((await ask('status')).stdout).toContain('Study second in');
  // The room on the disk is another at every look.
  const checked = async (...args: string[]) => {
    const said = await ask('doctor', ...args);
    return { ...said, stdout: said.stdout.replace(/[\d.]+ GB free/, '') };
  };
  expect(await checked(first)).toEqual(await checked('-C', first));
});

test('run and resume take the repository as an option too', async () => {
  const { first, second, ask } = await twoStudies();
  const resumed = await ask('resume', '-C', first, '-n', '1', '--json');
  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toContain(`"repository":${JSON.stringify(first)}`);
  const run = await ask('run', '-C', second, '--tag', 'third', '-n', '0', '--json');
  expect(run.code).toBe(0);
  expect(run.stdout).toContain(`"repository":${JSON.stringify(second)}`);
});

test('two repositories in one command, or one that is not there, are refused', async () => {
  const { first, second, elsewhere, ask } = await twoStudies();
  for (const args of [['run'], ['doctor'], ['status'], ['show', '0']]) {
    const said = await ask(...args, first, '-C', second);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toMatch(/^pawl: You named two repositories, .*\n$/);
  }
  for (const args of [
    ['status', 'frist'],
    ['show', '0', 'frist'],
    ['search', '-C', 'frist', 'baseline'],
  ]) {
    const said = await ask(...args);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toMatch(/^pawl: There is no folder frist\..*--tag frist/);
  }
  // A folder without studies stands for all.
  await mkdir(join(elsewhere, 'empty'));
  expect(await ask('status', 'empty')).toEqual(await ask('status'));
});

test('words of a note or a search are never taken for a repository', async () => {
  const { first, second, ask } = await twoStudies();
  expect(await ask('note', '0', second, 'looked at', '-C', first)).toMatchObject({ code: 0 });
  expect((await ask('show', '0', first)).stdout).toContain(`${second} looked at`);
  expect((await ask('search', 'looked', '-C', first)).stdout).toContain('#0');
});
