import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeBelow } from '../../../src/engine/git/remove.ts';
import { findSandbox, sandboxMode } from '../../../src/engine/sandbox/find-sandbox.ts';
import { computeDevices, EMPTY_JAIL, jailArguments } from '../../../src/engine/sandbox/jail.ts';
import { DEFAULT_SANDBOX } from '../../../src/shared/contract-defaults.ts';
import { contractFromFile, contractToFile } from '../../../src/shared/contract-file.ts';
import { contractFileSchema } from '../../../src/shared/contract-schema.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { lives } from '../../support/processes.ts';
import { contractFile, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { openDesk, untilStopped } from '../../support/service.ts';
import { checkNight, type Night, prepareNight, rowsOf, TAG } from '../../support/study.ts';

/** Why nothing can be contained on this machine; null where it can. */
const found = await findSandbox(process.env);
const NO_SANDBOX = found.kind === 'none' ? found.why : null;
if (NO_SANDBOX) console.warn(`Tests of the sandbox are skipped: ${NO_SANDBOX}`);
const contained = test.skipIf(NO_SANDBOX !== null);

/** What a script says when it is run as a contained training, one `name: word` a line. */
async function tryOut(
  script: string,
  options: {
    readonly sandbox?: string;
    readonly files?: Readonly<Record<string, string>>;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Night & { readonly said: Readonly<Record<string, string>>; readonly code: number | null }> {
  const night = await prepareNight({
    trainer: `LR=2\nsay() { echo "said $1 $2"; }\n${script}\necho "val_bpb: $LR"\n`,
    contract: `${contractFile({ more: options.env ? `environment = [${Object.keys(options.env).map(name => `"${name}"`)}]` : '' })}\n[sandbox]\nmode = "required"\n${options.sandbox ?? ''}`,
    files: options.files ?? {},
  });
  const env = { PAWL_SANDBOX: undefined, ...options.env };
  const { code, stderr } = await pawl(['run', night.repository, '--tag', TAG, '-n', '0'], {
    home: night.home,
    env,
  });
  expect(stderr).toBe('');
  const { studyId } = rowsOf(night.home);
  const log = await readFile(join(night.home, 'studies', studyId, 'runs', '0', 'output.log'), 'utf8');
  const said = [...log.matchAll(/^said (\S+) (.*)$/gm)].map(([, name = '', word = '']) => [name, word]);
  return { ...night, code, said: Object.fromEntries(said) };
}

/** A line that says whether a command came through. */
const can = (name: string, command: string) =>
  `if (${command}) >/dev/null 2>&1; then say ${name} yes; else say ${name} no; fi`;

contained('what a training writes outside of its worktree comes to nothing', async () => {
  const outside = await temporaryFolder();
  const night = await tryOut(
    [
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
    ].join('\n'),
  );
  expect(night.said).toEqual({
    ...{ locked: 'no', replaced: 'no', moved: 'no', contract: 'no', record: 'no', own: 'yes', folder: 'no' },
    // Private, and gone with it.
    ...{ system: 'no', tmp: 'yes', home: 'yes', cache: 'yes', unmount: 'no', remount: 'no' },
  });
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
  ].join('\n');
  const home = await temporaryFolder();
  const env = { LEDGER: join(home, 'pawl.sqlite'), ENGINE: String(process.pid) };
  const alone = await tryOut(script, { env });
  expect(alone.said).toEqual({
    ...{ ledger: 'no', ssh: 'no', data: 'no', change: 'no', network: 'no', engine: 'no', others: 'no' },
    python: 'yes',
  });
  const named = await tryOut(script, {
    env,
    sandbox: `network = true\nreads = ["${outside}/data"]\n`,
  });
  expect(named.said).toMatchObject({ ledger: 'no', data: 'yes', change: 'no', network: 'yes' });
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
  const night = await prepareNight({
    trainer: [
      'LR=2\nsay() { echo "said $1 $2"; }',
      can('tool', 'tool'),
      can('socket', 'ls "$HOME/.rd/docker.sock"'),
      can('ssh', `cat "$HOME/.ssh/id" || cat ${outside}/real/.ssh/id`),
      can('other', `cat ${outside}/other/key`),
      can('venv', `${home}/apps/venv/bin/run`),
      can('lib', 'ls "$HOME/.local/lib/python3.11/site-packages/x.py"'),
      can('git', 'git rev-parse HEAD'),
      can('config', 'cat "$(git rev-parse --git-common-dir)/config"'),
      'echo "val_bpb: $LR"',
    ].join('\n'),
    contract: `${contractFile({ train: `cd . && test -x ${home}/apps/venv/bin/run && sh train.sh` })}\n[sandbox]\nmode = "required"\n`,
  });
  const { stderr } = await pawl(['run', night.repository, '--tag', TAG, '-n', '0'], {
    home: night.home,
    env: {
      ...{ PAWL_SANDBOX: undefined, HOME: home, PYTHONPATH: `${home}/` },
      PATH: `${process.env.PATH}:${home}/.rd/bin:${outside}/other/bin`,
    },
  });
  expect(stderr).toBe('');
  const { studyId } = rowsOf(night.home);
  const log = await readFile(join(night.home, 'studies', studyId, 'runs', '0', 'output.log'), 'utf8');
  const said = Object.fromEntries(
    [...log.matchAll(/^said (\S+) (.*)$/gm)].map(([, name, word]) => [name, word]),
  );
  expect(said).toEqual({
    ...{
      tool: 'yes',
      socket: 'no',
      ssh: 'no',
      other: 'no',
      venv: 'yes',
      lib: 'yes',
      git: 'yes',
      config: 'no',
    },
  });
});

contained('Pawl’s own folder cannot be read', async () => {
  const night = await tryOut(
    can('ledger', 'cat ../../pawl.sqlite || cat ../../engine.json || cat ../../studies/*/results.tsv'),
  );
  expect(night.said).toEqual({ ledger: 'no' });
});

contained('what one run leaves behind leads no later one', async () => {
  const outside = await temporaryFolder();
  const tricks = [
    'mkdir -p "$HOME/.local/lib"; echo "import os; os._exit(9)" > "$HOME/.local/lib/sitecustomize.py"',
    'echo "import os; os._exit(9)" > sitecustomize.py; echo "import os; os._exit(9)" > usercustomize.py',
    'for site in $(python3 -c "import site; print(*site.getsitepackages())"); do echo "import os; os._exit(9)" > "$site/pawl.pth"; done 2>/dev/null',
    'PYTHONPATH=. python3 -c 1; say trick $?',
  ].join('\n');
  const night = await prepareNight({
    trainer: `LR=2\nsay() { echo "said $1 $2"; }\npython3 -c 1 || exit 8\n${tricks}\necho "val_bpb: $LR"\n`,
    contract: `${contractFile()}\n[sandbox]\nmode = "required"\n`,
  });
  await writeFile(join(outside, 'x'), '');
  const { code } = await sitting(['run', night.repository, '--tag', TAG, '-n', '2'], {
    home: night.home,
    env: { PAWL_SANDBOX: undefined },
  });
  expect(code).toBe(0);
  expect(rowsOf(night.home).experiments.map(({ verdict }) => verdict)).not.toContain('crash');
  await checkNight(night);
});

contained(
  'what a training leaves running is gone when it is over, and all of it when the engine dies',
  async () => {
    const night = await prepareNight({
      trainer: `LR=2\n(setsid sh -c 'trap "" TERM HUP; sleep 300' &)\n[ -e go ] && echo "val_bpb: $LR" && exit\nsleep 300\n`,
      contract: `${contractFile({ limitSeconds: 600 })}\n[sandbox]\nmode = "required"\n`,
    });
    const running = new RunningPawl(['run', night.repository, '--tag', TAG], {
      home: night.home,
      env: { PAWL_SANDBOX: undefined },
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
  const night = await tryOut(
    [
      can('locked', 'echo x >> lib/deep/score.sh'),
      can('moved', 'mv lib/deep lib/was && mkdir lib/deep && echo x > lib/deep/score.sh'),
      can('above', 'mv lib was && mkdir -p lib/deep && echo x > lib/deep/score.sh'),
      can('beside', 'echo x > lib/deep/cache && mkdir lib/other'),
    ].join('\n'),
    { files: { 'lib/deep/score.sh': 'echo fixed\n' } },
  );
  expect(night.said).toEqual({ locked: 'no', moved: 'no', above: 'no', beside: 'yes' });
  await checkNight(night);
});

contained('what the set-up left is read-only, but for what the contract names', async () => {
  const night = await prepareNight({
    trainer: [
      'LR=2',
      'say() { echo "said $1 $2"; }',
      can('library', 'echo x >> venv/site.py || echo x > venv/evil.pth'),
      can('replaced', 'mv venv other'),
      can('build', 'echo x >> build/out'),
      can('read', 'grep -q ok venv/site.py'),
      'echo "val_bpb: $LR"\n',
    ].join('\n'),
    contract: `${contractFile({ more: 'setup = "mkdir venv build && echo ok > venv/site.py && ln -s /etc linked"' })}
[sandbox]
mode = "required"
writes = ["build"]
`,
  });
  const { code } = await pawl(['run', night.repository, '--tag', TAG, '-n', '0', '--trust-setup'], {
    home: night.home,
    env: { PAWL_SANDBOX: undefined },
  });
  expect(code).toBe(0);
  const { studyId } = rowsOf(night.home);
  const log = await readFile(join(night.home, 'studies', studyId, 'runs', '0', 'output.log'), 'utf8');
  expect([...log.matchAll(/^said (.*)$/gm)].map(([, words]) => words)).toEqual([
    ...['library no', 'replaced no', 'build yes', 'read yes'],
  ]);
});

/** A night whose set-up makes something, and what its runs said of it. */
async function setUpNight(setup: string, script: readonly string[], experiments: number, sandbox = '') {
  const night = await prepareNight({
    trainer: ['LR=2', 'say() { echo "said $1 $2"; }', ...script, 'echo "val_bpb: $LR"\n'].join('\n'),
    contract: `${contractFile({ more: `setup = ${JSON.stringify(setup)}` })}
[sandbox]
mode = "required"
${sandbox}
`,
    files: { 'pkg/README': 'fixed\n' },
  });
  const env = { PAWL_SANDBOX: undefined };
  const args = ['run', night.repository, '--tag', TAG, '-n', String(experiments), '--trust-setup'];
  const { events } = await sitting(args, { home: night.home, env });
  const { studyId } = rowsOf(night.home);
  const said = async (n: number) => {
    const log = await readFile(join(night.home, 'studies', studyId, 'runs', String(n), 'output.log'), 'utf8');
    return [...log.matchAll(/^said (.*)$/gm)].map(([, words]) => words);
  };
  const verdicts = eventsOf(events, 'verdict').map(({ verdict, reason }) => `${verdict} ${reason}`);
  return { ...night, said, verdicts, setUps: eventsOf(events, 'setup_finished').length };
}

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
    const env = { PAWL_SANDBOX: undefined };
    const args = ['resume', night.repository, '--tag', TAG, '-n', '1'];
    const { events } = await sitting(args, { home: night.home, env });
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

contained('the checkout is not seen, wherever it is', async () => {
  const place = await mkdtemp('/var/tmp/pawl-test-');
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  const repository = join(place, 'repository');
  const night = await prepareNight({
    repository,
    trainer: [
      'LR=2',
      'say() { echo "said $1 $2"; }',
      can('secret', `cat ${repository}/.env`),
      can('configuration', `cat ${repository}/.git/config`),
      can('commit', `git --git-dir=${repository}/.git rev-parse HEAD || cat ${repository}/.git/HEAD`),
      'echo "val_bpb: $LR"\n',
    ].join('\n'),
    contract: `${contractFile()}\n[sandbox]\nmode = "required"\n`,
  });
  await writeFile(join(repository, '.env'), 'SECRET=1');
  const env = { PAWL_SANDBOX: undefined };
  await pawl(['run', repository, '--tag', TAG, '-n', '0'], { home: night.home, env });
  const { studyId } = rowsOf(night.home);
  const log = await readFile(join(night.home, 'studies', studyId, 'runs', '0', 'output.log'), 'utf8');
  expect([...log.matchAll(/^said (.*)$/gm)].map(([, words]) => words)).toEqual([
    ...['secret no', 'configuration no', 'commit yes'],
  ]);
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
  const night = await prepareNight({
    trainer: [
      'LR=2',
      'say() { echo "said $1 $2"; }',
      can('library', 'echo x > "$UV_PROJECT_ENVIRONMENT/evil.pth"'),
      can('read', 'grep -q ok "$UV_PROJECT_ENVIRONMENT/site.py"'),
      can('python', 'grep -q python "$UV_PROJECT_ENVIRONMENT/bin/python"'),
      can('other', 'echo evil > "$UV_PROJECT_ENVIRONMENT/bin/python"'),
      'echo "val_bpb: $LR"\n',
    ].join('\n'),
    contract: `${contractFile({ train: 'uv run sh train.sh' })}\n[sandbox]\nmode = "required"\n`,
  });
  const { code } = await pawl(['run', night.repository, '--tag', TAG, '-n', '1'], {
    home: night.home,
    // A home without any Python of uv's.
    env: { PAWL_SANDBOX: undefined, PATH: `${bin}:${process.env.PATH}`, HOME: await temporaryFolder() },
  });
  expect(code).toBe(0);
  const { studyId } = rowsOf(night.home);
  const said = async (n: number) => {
    const log = await readFile(join(night.home, 'studies', studyId, 'runs', String(n), 'output.log'), 'utf8');
    return [...log.matchAll(/^said (.*)$/gm)].map(([, words]) => words);
  };
  expect(await said(0)).toEqual(['library yes', 'read yes', 'python yes', 'other yes']);
  expect((await said(1)).slice(0, 2)).toEqual(['library no', 'read yes']);
  expect((await said(1))[3]).toBe('other no');
});

contained.each([
  ['a program', 'sh train.sh'],
  ['a line of several', 'cd . && sh train.sh; exit $?'],
])('%s is asked to end before it is made to', async (_, train) => {
  const night = await prepareNight({
    trainer: `LR=2\ntrap 'sleep 0.2; echo "said goodbye"; exit 0' TERM\necho ready\nsleep 300 & wait\n`,
    contract: `${contractFile({ train, limitSeconds: 1 })}\n[sandbox]\nmode = "required"\n`,
  });
  await pawl(['run', night.repository, '--tag', TAG, '-n', '0'], {
    home: night.home,
    env: { PAWL_SANDBOX: undefined },
  });
  const { studyId } = rowsOf(night.home);
  const log = await readFile(join(night.home, 'studies', studyId, 'runs', '0', 'output.log'), 'utf8');
  expect(log).toContain('said goodbye');
});

contained('exit codes and signals come through', async () => {
  for (const [script, outcome] of [
    ['exit 7', 'exit 7'],
    ['kill -SEGV $$', 'signal 11'],
  ] as const) {
    const night = await prepareNight({
      trainer: `LR=2\n${script}\n`,
      contract: `${contractFile()}\n[sandbox]\nmode = "required"\n`,
    });
    const { events } = await sitting(['run', night.repository, '--tag', TAG, '-n', '0'], {
      home: night.home,
      env: { PAWL_SANDBOX: undefined },
    });
    expect(eventsOf(events, 'run_finished')[0]?.outcome).toBe(outcome);
  }
});

contained('each run says whether it was contained', async () => {
  const night = await prepareNight();
  const start = async (tag: string, environment: Readonly<Record<string, string>>) => {
    const desk = await openDesk({ home: night.home, environment });
    const { id: study } = await desk.calls.studies.start({
      ...{ path: night.repository, tag, proposer: { kind: 'search', seed: 1 }, stop: { experiments: 0 } },
    });
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
      const { id: study } = await desk.calls.studies.start({
        ...{ path: night.repository, tag, proposer: { kind: 'search', seed: 1 }, stop: { experiments: 0 } },
      });
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
    const { id: study } = await desk.calls.studies.start({
      ...{
        path: night.repository,
        tag: TAG,
        proposer: { kind: 'search', seed: 1 },
        stop: { experiments: 1 },
      },
    });
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
