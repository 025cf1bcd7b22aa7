import { existsSync } from 'node:fs';
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findSandbox, sandboxMode } from '../../../src/engine/sandbox/find-sandbox.ts';
import { computeDevices, EMPTY_JAIL, jailArguments } from '../../../src/engine/sandbox/jail.ts';
import { DEFAULT_SANDBOX } from '../../../src/shared/contract/contract-defaults.ts';
import { contractFromFile, contractToFile } from '../../../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../../../src/shared/contract/contract-schema.ts';
import { contained } from '../../support/contained.ts';
import { eventsOf, sitting } from '../../support/pawl.ts';
import { temporaryFolder } from '../../support/scaffold.ts';
import { openDesk, untilStopped } from '../../support/service.ts';
import { prepareNight, TAG } from '../../support/study.ts';
import { startSearch } from '../../support/training-desk.ts';

contained('each run says whether it was contained', async () => {
  const night = await prepareNight();
  const start = async (tag: string, environment: Readonly<Record<string, string>>) => {
    const desk = await openDesk({ home: night.home, environment });
    const study = await startSearch(desk, night.repository, { experiments: 0 }, tag);
    await untilStopped(desk, study);
    const { runs } = await desk.calls.experiments.get({ study, n: 0 });
    await desk.close();
    return runs[0]?.isContained;
  };
  expect(await start('in', { PAWL_SANDBOX: 'preferred' })).toBe(true);
  expect(await start('out', { PAWL_SANDBOX: 'off' })).toBe(false);
});

test('without bubblewrap what is required is refused, and what is preferred runs and says so', async () => {
  const night = await prepareNight();
  const bin = await temporaryFolder();
  // The system's programs but for bubblewrap.
  const names = (await readdir('/usr/bin')).filter(name => name !== 'bwrap');
  await Promise.all(names.map(name => symlink(join('/usr/bin', name), join(bin, name))));
  const run = async (tag: string, mode: string) => {
    const desk = await openDesk({ home: night.home, environment: { PATH: bin, PAWL_SANDBOX: mode } });
    try {
      const study = await startSearch(desk, night.repository, { experiments: 0 }, tag);
      const card = await untilStopped(desk, study);
      const [cell] = await desk.calls.studies.cells({ study, before: null, limit: 1 });
      const { runs } = await desk.calls.experiments.get({ study, n: 0 });
      return { card, isContained: [card.isContained, cell?.isContained, runs[0]?.isContained] };
    } finally {
      await desk.close();
    }
  };
  // Nothing is made of a study that could not run.
  await expect(run('strict', 'required')).rejects.toThrow('apt-get install bubblewrap');
  expect(await run('loose', 'preferred')).toMatchObject({
    ...{ card: { stopReason: 'experiments' }, isContained: [false, false, false] },
  });
  expect(await findSandbox({ PATH: bin })).toMatchObject({ kind: 'none' });
});

test.each(['required', 'preferred'])(
  'a sandbox that fails for this study alone is no crash of its code (%s)',
  async mode => {
    const bin = await temporaryFolder();
    await writeFile(
      join(bin, 'bwrap'),
      '#!/bin/sh\ncase "$*" in *worktrees*) echo "bwrap: no such mount" >&2; exit 1;; esac\n',
      { mode: 0o755 },
    );
    const night = await prepareNight();
    const environment = { PATH: `${bin}:${process.env.PATH}`, PAWL_SANDBOX: mode };
    const desk = await openDesk({ home: night.home, environment });
    const study = await startSearch(desk, night.repository, { experiments: 1 });
    const card = await untilStopped(desk, study);
    const { marks } = await desk.calls.studies.marks({ study });
    if (mode === 'required') {
      expect(card).toMatchObject({
        ...{ stopReason: 'error', stopDetail: expect.stringContaining('bwrap: no such mount') },
        tally: { finished: 0 },
      });
    } else {
      expect(card).toMatchObject({ stopReason: 'experiments', tally: { finished: 2, crash: 0 } });
      // Told once, not with each run.
      expect(marks.filter(({ text }) => text.includes('not contained'))).toHaveLength(1);
      const { runs } = await desk.calls.experiments.get({ study, n: 1 });
      expect(runs.map(({ isContained }) => isContained)).toEqual([false]);
    }
    await desk.close();
  },
);

contained.each([
  ['while it is tried', "*worktrees*'exit 0'*"],
  ['while the command is looked for', "*'command -v'*"],
  ['when a run begins', "*worktrees*'sh train.sh'*"],
])('what was to be mounted and has gone %s costs neither the sandbox nor the run', async (_, which) => {
  const bin = await temporaryFolder();
  const gone = join(bin, 'gone');
  await writeFile(
    join(bin, 'bwrap'),
    `#!/bin/sh
case "$*" in ${which}) [ -e ${gone} ] || { touch ${gone}; echo "bwrap: Can't mkdir parents for /x/y.sock: Read-only file system" >&2; exit 1; };; esac
exec /usr/bin/bwrap "$@"
`,
    { mode: 0o755 },
  );
  const night = await prepareNight();
  const { events } = await sitting(['run', night.repository, '--tag', TAG, '-n', '1'], {
    home: night.home,
    env: { PATH: `${bin}:${process.env.PATH}`, PAWL_SANDBOX: 'preferred' },
  });
  expect(existsSync(gone)).toBe(true);
  expect(eventsOf(events, 'verdict').map(({ verdict }) => verdict)).not.toContain('crash');
  expect(eventsOf(events, 'verdict')).toHaveLength(2);
  expect(eventsOf(events, 'warning').filter(({ code }) => code === 'sandbox')).toEqual([]);
});

test('a bubblewrap that is not allowed to work says what to do', async () => {
  const bin = await temporaryFolder();
  await writeFile(
    join(bin, 'bwrap'),
    '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n',
    { mode: 0o755 },
  );
  const sandbox = await findSandbox({ PATH: `${bin}:/usr/bin:/bin` });
  expect(sandbox).toMatchObject({
    kind: 'none',
    why: expect.stringMatching(/uid map: Permission denied.*does not let it create namespaces/),
  });
});

test('the machine’s user has the last word on the sandbox', () => {
  const contract = contractFromFile(
    contractFileSchema.parse({
      contract: { editable: ['train.py'], train: 'python3 train.py' },
      metric: { name: 'val_bpb' },
    }),
  );
  expect(contract.sandbox).toEqual(DEFAULT_SANDBOX);
  expect(sandboxMode(contract, {})).toBe('preferred');
  expect(sandboxMode(contract, { PAWL_SANDBOX: 'off' })).toBe('off');
  expect(sandboxMode(contract, { PAWL_SANDBOX: 'required' })).toBe('required');
  expect(sandboxMode(contract, { PAWL_SANDBOX: 'Required' })).toBe('required');
  expect(() => sandboxMode(contract, { PAWL_SANDBOX: 'none' })).toThrow('it takes required, preferred, off');
  const own = {
    ...contract,
    sandbox: { mode: 'off', network: true, writes: ['build'], reads: ['~/data'], cacheMb: 64 },
  } as const;
  expect(contractFromFile(contractFileSchema.parse(contractToFile(own))).sandbox).toEqual(own.sandbox);
  for (const path of ['relative', '~', '/a/../b']) {
    const sandbox = { reads: [path] };
    expect(contractFileSchema.safeParse({ ...contractToFile(contract), sandbox }).success).toBe(false);
  }
});

test('what computes is let in, after the devices of everybody', () => {
  const names = [
    'null',
    'nvidia0',
    'nvidiactl',
    'nvidia-uvm',
    'nvidia-caps',
    'dri',
    'kfd',
    'sda',
    'tty',
    'dxg',
    'nvhost-gpu',
  ];
  expect(computeDevices(names)).toEqual([
    'nvidia0',
    'nvidiactl',
    'nvidia-uvm',
    'nvidia-caps',
    'dri',
    'kfd',
    'dxg',
    'nvhost-gpu',
  ]);
  const args = jailArguments(
    {
      ...EMPTY_JAIL,
      ...{ hidden: ['/home'], writable: ['/w'], held: ['/w/lib'], sealed: ['/w/x'] },
      ...{ cwd: '/w', devices: ['nvidia0'] },
    },
    { dropsUser: false, forbidsUserNamespaces: false },
  );
  expect(args.indexOf('/dev/nvidia0')).toBeGreaterThan(args.indexOf('--dev'));
  expect(args.lastIndexOf('/w/x')).toBeGreaterThan(args.lastIndexOf('--bind'));
});
