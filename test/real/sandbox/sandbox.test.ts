import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { contained } from '../../support/contained.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { lives } from '../../support/processes.ts';
import { BY_CONTRACT, can, IN_SANDBOX, sayingNight } from '../../support/saying-night.ts';
import { contractFile, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../../support/study.ts';
import { logPath } from '../../support/trainers.ts';

contained('what a training writes outside of its worktree comes to nothing', async () => {
  const outside = await temporaryFolder();
  const night = await sayingNight([
    can('locked', 'echo x >> prepare.sh'),
    can('replaced', 'rm -f prepare.sh; echo x > prepare.sh'),
    can('moved', 'echo x > other && mv other prepare.sh'),
    can('contract', 'echo x >> pawl.toml'),
    can('record', 'echo x > .git/index'),
    can('own', 'echo x > made && echo x >> train.sh'),
    can('folder', `echo x > ${outside}/x`),
    can('system', 'echo x > /usr/x || echo x > /etc/x || echo x > /var/x'),
    can('tmp', 'echo x > /tmp/pawl-sandbox-test'),
    can('home', 'echo x > "$HOME/pawl-sandbox-test"'),
    can('unmount', 'umount prepare.sh || umount -l prepare.sh'),
    can('remount', 'mount -o remount,rw,bind / || mount -o remount,rw,bind /usr'),
    can('cache', 'mkdir -p "$XDG_CACHE_HOME" && echo x > "$XDG_CACHE_HOME/x"'),
  ]);
  expect(await night.said(0)).toEqual([
    ...[
      'locked no',
      'replaced no',
      'moved no',
      'contract no',
      'record no',
      'own yes',
      'folder no',
      'system no',
    ],
    // Private, and gone with it.
    ...['tmp yes', 'home yes', 'unmount no', 'remount no', 'cache yes'],
  ]);
  expect(await readdir(outside)).toEqual([]);
  expect(await readdir('/tmp')).not.toContain('pawl-sandbox-test');
  expect(await readdir(process.env.HOME ?? '/')).not.toContain('pawl-sandbox-test');
  await checkNight(night);
});

contained('it sees nobody’s home, no ledger and no network, but what the contract names', async () => {
  const outside = await temporaryFolder();
  await writeFiles(outside, { 'data/tokens': 'the data' });
  const server = createServer(socket => socket.end()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const script = [
    can('ledger', 'cat "$LEDGER"'),
    can('ssh', 'ls "$HOME/.ssh" || ls "$HOME/.bashrc" || ls "$HOME/.profile"'),
    can('data', `grep 'the data' ${outside}/data/tokens`),
    can('change', `echo x > ${outside}/data/tokens`),
    can('network', `python3 -c 'import socket; socket.create_connection(("127.0.0.1", ${port}))'`),
    can('engine', 'kill -0 "$ENGINE"'),
    can('others', 'test "$(ls /proc | grep -c "^[0-9]")" -gt 20'),
    can('python', 'python3 -c 1'),
  ];
  const home = await temporaryFolder();
  const env = { LEDGER: join(home, 'pawl.sqlite'), ENGINE: String(process.pid) };
  const seen = Object.keys(env);
  expect(await (await sayingNight(script, { env, seen })).said(0)).toEqual([
    ...['ledger no', 'ssh no', 'data no', 'change no', 'network no', 'engine no', 'others no', 'python yes'],
  ]);
  const sandbox = `network = true\nreads = ["${outside}/data"]\n`;
  expect(await (await sayingNight(script, { env, seen, sandbox })).said(0)).toEqual(
    expect.arrayContaining(['ledger no', 'data yes', 'change no', 'network yes']),
  );
  expect(await readFile(join(outside, 'data', 'tokens'), 'utf8')).toBe('the data');
});

contained('a home is hidden by whatever name it goes, and ordinary programs work', async () => {
  const outside = await temporaryFolder();
  await writeFiles(outside, {
    'real/.ssh/id': 'secret',
    'real/.rd/docker.sock': 'a socket',
    'real/.rd/bin/tool': '#!/bin/sh\necho tool\n',
    'real/.local/lib/python3.11/site-packages/x.py': '',
    'real/apps/venv/pyvenv.cfg': '',
    'real/apps/venv/bin/run': '#!/bin/sh\ncat "$(dirname "$0")/../pyvenv.cfg" && echo ran\n',
    'other/bin/tool2': '#!/bin/sh\n',
    'other/key': 'secret',
  });
  const home = join(outside, 'home');
  await symlink(join(outside, 'real'), home);
  for (const tool of ['real/.rd/bin/tool', 'real/apps/venv/bin/run', 'other/bin/tool2']) {
    await chmod(join(outside, tool), 0o755);
  }
  const night = await sayingNight(
    [
      can('tool', 'tool'),
      can('socket', 'ls "$HOME/.rd/docker.sock"'),
      can('ssh', `cat "$HOME/.ssh/id" || cat ${outside}/real/.ssh/id`),
      can('other', `cat ${outside}/other/key`),
      can('venv', `${home}/apps/venv/bin/run`),
      can('lib', 'ls "$HOME/.local/lib/python3.11/site-packages/x.py"'),
      can('git', 'git rev-parse HEAD'),
      can('config', 'cat "$(git rev-parse --git-common-dir)/config"'),
    ],
    {
      train: `cd . && test -x ${home}/apps/venv/bin/run && sh train.sh`,
      env: {
        ...{ HOME: home, PYTHONPATH: `${home}/` },
        PATH: `${process.env.PATH}:${home}/.rd/bin:${outside}/other/bin`,
      },
    },
  );
  expect(await night.said(0)).toEqual([
    ...['tool yes', 'socket no', 'ssh no', 'other no', 'venv yes', 'lib yes', 'git yes', 'config no'],
  ]);
});

contained('Pawl’s own folder cannot be read', async () => {
  const night = await sayingNight([
    can('ledger', 'cat ../../pawl.sqlite || cat ../../engine.json || cat ../../studies/*/results.tsv'),
  ]);
  expect(await night.said(0)).toEqual(['ledger no']);
});

contained('what one run leaves behind leads no later one', async () => {
  const tricks = [
    'mkdir -p "$HOME/.local/lib"; echo "import os; os._exit(9)" > "$HOME/.local/lib/sitecustomize.py"',
    'echo "import os; os._exit(9)" > sitecustomize.py; echo "import os; os._exit(9)" > usercustomize.py',
    'for site in $(python3 -c "import site; print(*site.getsitepackages())"); do echo "import os; os._exit(9)" > "$site/pawl.pth"; done 2>/dev/null',
    'PYTHONPATH=. python3 -c 1; say trick $?',
  ];
  const night = await sayingNight(['python3 -c 1 || exit 8', ...tricks], { experiments: 2 });
  expect(night.code).toBe(0);
  expect(rowsOf(night.home).experiments.map(({ verdict }) => verdict)).not.toContain('crash');
  await checkNight(night);
});

contained(
  'what a training leaves running is gone when it is over, and all of it when the engine dies',
  async () => {
    const night = await prepareNight({
      trainer: `LR=2\n(setsid sh -c 'trap "" TERM HUP; sleep 300' &)\n[ -e go ] && echo "val_bpb: $LR" && exit\nsleep 300\n`,
      contract: `${contractFile({ limitSeconds: 600 })}\n${IN_SANDBOX}`,
    });
    const running = new RunningPawl(['run', night.repository, '--tag', TAG], {
      home: night.home,
      env: BY_CONTRACT,
    });
    const started = await running.waitFor(event => event.type === 'run_started');
    const sleepers = async () => {
      const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
      const own: number[] = [];
      for (const pid of pids) {
        const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
        if (environment.includes(`PAWL_RUN=${started.study}/`)) own.push(Number(pid));
      }
      return own;
    };
    await expect.poll(async () => (await sleepers()).length).toBeGreaterThan(2);
    const pids = await sleepers();
    // The engine alone: nobody asks or kills what it started.
    await running.kill();
    await expect.poll(async () => (await Promise.all(pids.map(lives))).some(Boolean)).toBe(false);
  },
);

contained('a folder with locked files in it stays where it is, and can be written beside them', async () => {
  const night = await sayingNight(
    [
      can('locked', 'echo x >> lib/deep/score.sh'),
      can('moved', 'mv lib/deep lib/was && mkdir lib/deep && echo x > lib/deep/score.sh'),
      can('above', 'mv lib was && mkdir -p lib/deep && echo x > lib/deep/score.sh'),
      can('beside', 'echo x > lib/deep/cache && mkdir lib/other'),
    ],
    { files: { 'lib/deep/score.sh': 'echo fixed\n' } },
  );
  expect(await night.said(0)).toEqual(['locked no', 'moved no', 'above no', 'beside yes']);
  await checkNight(night);
});

contained('the checkout is not seen, wherever it is', async () => {
  const place = await mkdtemp('/var/tmp/pawl-test-');
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  const repository = join(place, 'repository');
  const night = await sayingNight(
    [
      can('secret', `cat ${repository}/.env`),
      can('configuration', `cat ${repository}/.git/config`),
      can('commit', `git --git-dir=${repository}/.git rev-parse HEAD || cat ${repository}/.git/HEAD`),
    ],
    { repository, before: () => writeFile(join(repository, '.env'), 'SECRET=1') },
  );
  expect(await night.said(0)).toEqual(['secret no', 'configuration no', 'commit yes']);
});

contained.each([
  ['a program', 'sh train.sh'],
  ['a line of several', 'cd . && sh train.sh; exit $?'],
])('%s is asked to end before it is made to', async (_, train) => {
  const night = await prepareNight({
    trainer: `LR=2\ntrap 'sleep 0.2; echo "said goodbye"; exit 0' TERM\necho ready\nsleep 300 & wait\n`,
    contract: `${contractFile({ train, limitSeconds: 3 })}\n${IN_SANDBOX}`,
  });
  await pawl(['run', night.repository, '--tag', TAG, '-n', '0'], {
    home: night.home,
    env: BY_CONTRACT,
  });
  const { studyId } = rowsOf(night.home);
  const log = await readFile(logPath(night.home, studyId, 0), 'utf8');
  expect(log).toContain('said goodbye');
});

contained('exit codes and signals come through', async () => {
  for (const [script, outcome] of [
    ['exit 7', 'exit 7'],
    ['kill -SEGV $$', 'signal 11'],
  ] as const) {
    const night = await prepareNight({
      trainer: `LR=2\n${script}\n`,
      contract: `${contractFile()}\n${IN_SANDBOX}`,
    });
    const { events } = await sitting(['run', night.repository, '--tag', TAG, '-n', '0'], {
      home: night.home,
      env: BY_CONTRACT,
    });
    expect(eventsOf(events, 'run_finished')[0]?.outcome).toBe(outcome);
  }
});
