import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeBelow } from '../../../src/engine/git/remove.ts';
import { contained } from '../../support/contained.ts';
import { eventsOf, sitting } from '../../support/pawl.ts';
import { BY_CONTRACT, can, sayingNight } from '../../support/saying-night.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { TAG } from '../../support/study.ts';

contained('what the set-up left is read-only, but for what the contract names', async () => {
  const night = await sayingNight(
    [
      can('library', 'echo x >> venv/site.py || echo x > venv/evil.pth'),
      can('replaced', 'mv venv other'),
      can('build', 'echo x >> build/out'),
      can('read', 'grep -q ok venv/site.py'),
    ],
    {
      setUp: 'mkdir venv build && echo ok > venv/site.py && ln -s /etc linked',
      sandbox: 'writes = ["build"]\n',
    },
  );
  expect(night.code).toBe(0);
  expect(await night.said(0)).toEqual(['library no', 'replaced no', 'build yes', 'read yes']);
});

/** A night whose set-up makes something beside a tracked file. */
const setUpNight = (setUp: string, script: readonly string[], experiments: number, sandbox = '') =>
  sayingNight(script, { setUp, experiments, sandbox, files: { 'pkg/README': 'fixed\n' } });

contained('what the set-up left beside tracked files cannot be exchanged for later runs', async () => {
  const night = await setUpNight(
    'echo hard > pkg/val.bin',
    [
      'say is "$(cat pkg/val.bin)"',
      can('moved', 'mv pkg old && mkdir pkg && cp old/README pkg && echo easy > pkg/val.bin'),
      can('removed', 'rm -f pkg/val.bin && echo easy > pkg/val.bin'),
    ],
    1,
  );
  for (const n of [0, 1]) expect(await night.said(n)).toEqual(['is hard', 'moved no', 'removed no']);
});

contained(
  'a link that the set-up left and a training exchanges is a crash, and is set up again',
  async () => {
    const night = await setUpNight(
      'mkdir -p data0 && echo hard > data0/val && ln -s data0 data',
      ['say is "$(cat data/val)"', '[ $LR = 2 ] || { rm data && mkdir data && echo easy > data/val; }'],
      2,
    );
    expect(night.verdicts).toEqual(['keep baseline', ...Array(2).fill('crash locked_file_touched')]);
    for (const n of [0, 1, 2]) expect(await night.said(n)).toEqual(['is hard']);
    expect(night.setUps).toBe(2);
  },
);

contained('what was exchanged while nobody could look is set up again', async () => {
  const night = await setUpNight('ln -s /etc data && echo hard > made', ['say is "$(cat made)"'], 0);
  const [worktree = ''] = await readdir(join(night.home, 'worktrees'));
  const made = join(night.home, 'worktrees', worktree, 'made');
  const resume = async () => {
    const args = ['resume', night.repository, '--tag', TAG, '-n', '1'];
    const { events } = await sitting(args, { home: night.home, env: BY_CONTRACT });
    return eventsOf(events, 'setup_finished').length;
  };
  await writeFile(made, 'easy\n');
  expect(await resume()).toBe(1);
  expect(await night.said(1)).toEqual(['is hard']);
  expect(await resume()).toBe(0);
});

test('what is removed again is not looked for behind a link', async () => {
  const folder = await temporaryFolder();
  const outside = await temporaryFolder();
  await writeFiles(outside, { 'data/precious': 'x' });
  await writeFiles(folder, { 'deep/data/made': 'x', 'deep/stays': 'x' });
  await removeBelow(folder, 'deep/data');
  expect(await readdir(join(folder, 'deep'))).toEqual(['stays']);
  await symlink(outside, join(folder, 'linked'));
  await removeBelow(folder, 'linked/data');
  expect(await readdir(folder)).toEqual(['deep']);
  expect(await readFile(join(outside, 'data/precious'), 'utf8')).toBe('x');
  await removeBelow(folder, 'not/there');
});

contained('of more than can be mounted the files are compared', async () => {
  const night = await setUpNight(
    'for i in $(seq 10 70); do echo hard > made$i; done',
    ['say is "$(cat made70)"', '[ $LR = 2 ] || { rm -f made70; echo easy > made70; }'],
    2,
  );
  expect(night.verdicts).toEqual(['keep baseline', ...Array(2).fill('crash locked_file_touched')]);
  expect(await night.said(2)).toEqual(['is hard']);
});

contained('a folder in what the set-up left can be named writable', async () => {
  const night = await setUpNight(
    'mkdir -p out/cache build && echo x > out/fixed',
    [
      can('cache', 'echo x > out/cache/x'),
      can('fixed', 'echo y > out/fixed'),
      can('build', 'echo x > build/x'),
    ],
    0,
    'writes = ["out/cache/", "build/**"]',
  );
  expect(await night.said(0)).toEqual(['cache yes', 'fixed no', 'build yes']);
});

contained('the environment uv made for the baseline is what later trainings cannot change', async () => {
  const bin = await temporaryFolder();
  // A stand-in for uv that makes an environment as it does, unless it is told not to.
  await writeFile(
    join(bin, 'uv'),
    `#!/bin/sh
if [ ! "$UV_NO_SYNC" ]; then
  echo ok > "$UV_PROJECT_ENVIRONMENT/site.py"
  mkdir -p "$UV_PROJECT_ENVIRONMENT/bin" "$UV_PYTHON_INSTALL_DIR"
  echo python > "$UV_PYTHON_INSTALL_DIR/python"
  ln -sf "$UV_PYTHON_INSTALL_DIR/python" "$UV_PROJECT_ENVIRONMENT/bin/python"
fi
shift
exec "$@"
`,
    { mode: 0o755 },
  );
  const night = await sayingNight(
    [
      can('library', 'echo x > "$UV_PROJECT_ENVIRONMENT/evil.pth"'),
      can('read', 'grep -q ok "$UV_PROJECT_ENVIRONMENT/site.py"'),
      can('python', 'grep -q python "$UV_PROJECT_ENVIRONMENT/bin/python"'),
      can('other', 'echo evil > "$UV_PROJECT_ENVIRONMENT/bin/python"'),
    ],
    {
      ...{ experiments: 1, train: 'uv run sh train.sh' },
      // A home without any Python of uv's.
      env: { PATH: `${bin}:${process.env.PATH}`, HOME: await temporaryFolder() },
    },
  );
  expect(night.code).toBe(0);
  expect(await night.said(0)).toEqual(['library yes', 'read yes', 'python yes', 'other yes']);
  expect((await night.said(1)).slice(0, 2)).toEqual(['library no', 'read yes']);
  expect((await night.said(1))[3]).toBe('other no');
});
