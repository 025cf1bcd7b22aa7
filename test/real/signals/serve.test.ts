import type { ChildProcess } from 'node:child_process';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { type GatedNight, gatedNight } from '../../support/gated-night.ts';
import { endOf, startNode } from '../../support/node-process.ts';
import { findMarked, lives } from '../../support/processes.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  temporaryFolder,
  writeFiles,
} from '../../support/scaffold.ts';
import { callsOver } from '../../support/served.ts';
import type { Calls } from '../../support/service.ts';
import { checkNight, isRecorded, rowsOf, TAG } from '../../support/study.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const OWN_TOKEN = 'my-own-token-0123456789-abcdefghijkl';

/** A checkout of its own, with the window built or not: the real one's may be in any state. */
async function checkout(isBuilt: boolean): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['out/cli', 'resources', 'package.json']) {
    await cp(join(ROOT, name), join(folder, name), {
      recursive: true,
      filter: path => !/__pycache__|cli\/compiled/.test(path),
    });
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  if (isBuilt) await writeFiles(folder, { 'out/renderer/index.html': '<title>Pawl</title>' });
  return join(folder, 'out/cli/main.cjs');
}

type Serving = {
  readonly child: ChildProcess;
  readonly ended: ReturnType<typeof endOf>;
  readonly url: URL;
  readonly token: string;
  readonly calls: Calls;
  readonly socket: WebSocket;
};

/** `pawl serve` on a free port, once it has said where it is. `descriptors` is how many files it may have open. */
async function startServing(
  home: string,
  env: Readonly<Record<string, string>> = {},
  descriptors?: number,
): Promise<Serving> {
  // The hard limit too: Node raises the soft one to it.
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors} && `;
  const args = [
    '-c',
    `${limit}exec "$0" "$@"`,
    process.execPath,
    await checkout(true),
    'serve',
    '--port',
    '0',
  ];
  const child = startNode('/bin/sh', args, home, env);
  const ended = endOf(child);
  const said = await new Promise<string>((resolve, reject) => {
    let stdout = '';
    child.stdout?.on('data', text => {
      stdout += text;
      if (stdout.includes('Ctrl-C')) resolve(stdout);
    });
    void ended.then(end => reject(new Error(JSON.stringify(end))));
  });
  const url = new URL(/http:\S+/.exec(said)?.[0] ?? '');
  const token = url.hash.replace('#token=', '');
  const socket = new WebSocket(`ws://${url.host}/calls`, ['pawl', `token.${token}`], { origin: url.origin });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { child, ended, url, token, socket, calls: callsOver(socket) };
}

/** A study whose experiment 1 trains until the gate opens, under `pawl serve`. */
async function servedTraining(): Promise<Serving & { readonly night: GatedNight; readonly study: string }> {
  const night = await gatedNight();
  const serving = await startServing(night.home, night.env);
  const { id: study } = await serving.calls.studies.start({
    ...{ path: night.repository, tag: TAG, proposer: { kind: 'search', seed: 1 }, stop: {} },
  });
  await expect
    .poll(() => rowsOf(night.home).runs.filter(run => run.n === 1).length, { interval: 20 })
    .toBe(1);
  await expect.poll(() => findMarked(study), { interval: 20 }).not.toEqual([]);
  return { ...serving, night, study };
}

test('without a built window it says what to do and makes nothing', async () => {
  const home = await temporaryFolder();
  const end = await endOf(startNode(process.execPath, [await checkout(false), 'serve'], home));
  expect(end).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: 'pawl: The window is not built yet: run "npm run build" in the checkout, or "npm start".\n',
  });
  expect(await readdir(home)).toEqual([]);
});

test('a token of the user that is short or odd is refused, and not repeated', async () => {
  const main = await checkout(true);
  for (const token of [
    'short',
    'x'.repeat(31),
    `${'x'.repeat(40)} y`,
    `${'x'.repeat(40)}/`,
    'ä'.repeat(40),
  ]) {
    const home = await temporaryFolder();
    const child = startNode(process.execPath, [main, 'serve', '--port', '0'], home, {
      PAWL_SERVE_TOKEN: token,
    });
    const { code, stdout, stderr } = await endOf(child);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^pawl: PAWL_SERVE_TOKEN must have at least 32 [^\n]*\n$/);
    expect(stderr).not.toContain(token);
  }
});

test('a study goes on where few files may be open and hundreds of connections are held', async () => {
  const night = await gatedNight();
  const { calls, child, ended, url } = await startServing(night.home, {}, 256);
  const idle = Array.from({ length: 600 }, () => connect(Number(url.port), '127.0.0.1'));
  onTestFinished(() => {
    for (const socket of idle) socket.destroy();
  });
  let closed = 0;
  for (const socket of idle)
    socket
      .on('error', () => {})
      .on('close', () => (closed += 1))
      .resume();
  await expect.poll(() => closed, { interval: 10 }).toBeGreaterThan(500);
  await calls.studies.start({
    ...{ path: night.repository, tag: TAG, proposer: { kind: 'search', seed: 1 } },
    stop: { experiments: 2 },
  });
  const recorded = () => rowsOf(night.home).experiments.filter(isRecorded).length;
  await expect.poll(recorded, { interval: 50 }).toBe(3);
  expect((await fetch(url)).status).toBe(200);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
  await checkNight(night);
});

test('without a token of the user it is another one each time', async () => {
  const tokens = new Set<string>();
  for (const env of [{}, { PAWL_SERVE_TOKEN: '' }]) {
    const { token, child, ended } = await startServing(await temporaryFolder(), env);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    tokens.add(token);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  }
  expect(tokens.size).toBe(2);
});

test('the token is in no log and in no environment of what the engine starts', async () => {
  const seen = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': `env\ntr '\\0' '\\n' < /proc/self/environ\n${FAST_TRAINER}`,
    'pawl.toml': contractFile({ more: 'environment = ["PAWL_SERVE_TOKEN", "PAWL_HOME"]' }),
  });
  const { calls, token, child, ended, url } = await startServing(await temporaryFolder(), {
    PAWL_SERVE_TOKEN: OWN_TOKEN,
  });
  expect(token).toBe(OWN_TOKEN);
  const command = `env > ${seen}/proposer; printf '# more\\n' >> train.sh; echo '{"hypothesis":"more"}'`;
  const { id } = await calls.studies.start({
    ...{
      path: repository,
      proposer: { kind: 'command', command, timeoutSeconds: 30 },
      stop: { experiments: 1 },
    },
  });
  const { home } = await calls.app.info();
  await expect
    .poll(async () => (await calls.app.snapshot()).studies[0]?.state, { interval: 50 })
    .toBe('stopped');
  // A refused window and a refused file are logged, with what they asked for.
  const refused = new WebSocket(`ws://${url.host}/calls`, ['pawl', `token.${OWN_TOKEN}x`], {
    origin: url.origin,
  });
  await new Promise(resolve => refused.once('error', resolve));
  expect((await fetch(`${url.origin}/nothing.html`)).status).toBe(404);
  child.kill('SIGTERM');
  const { stderr, code } = await ended;
  expect([code, stderr]).toEqual([0, '']);
  const log = await readFile(join(home, 'logs', 'serve.log'), 'utf8');
  expect(log).toContain('window refused: wrong token');
  expect(log).toContain('nothing.html');
  const output = await readFile(join(home, 'studies', id, 'runs', '0', 'output.log'), 'utf8');
  expect(output).toContain('PAWL_HOME=');
  const proposer = await readFile(join(seen, 'proposer'), 'utf8');
  expect(proposer).toContain('PATH=');
  for (const text of [log, output, proposer]) {
    expect(text).not.toContain(OWN_TOKEN);
    expect(text).not.toContain('PAWL_SERVE_TOKEN');
  }
});

test('a port that is taken is named, and the data folder is free again', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const home = await temporaryFolder();
  const main = await checkout(true);
  const serve = (value: string) => endOf(startNode(process.execPath, [main, 'serve', '--port', value], home));
  expect(await serve(String(port))).toEqual({
    ...{ code: 2, stdout: '', stderr: `pawl: Port ${port} is taken: choose another with --port.\n` },
  });
  expect(await serve('65536')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^pawl: Port 65536 /),
  });
  expect(await serve('-1')).toMatchObject({ code: 2, stdout: '' });
  other.close();
  const serving = await startServing(home);
  expect(await serve('0')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Another Pawl is running'),
  });
  serving.child.kill('SIGINT');
  expect((await serving.ended).code).toBe(0);
});

test.each(['SIGTERM', 'SIGHUP'] as const)('%s ends what trains, and then the server', async signal => {
  const { child, ended, night, study, socket } = await servedTraining();
  const pids = await findMarked(study);
  const closed = new Promise(resolve => socket.once('close', resolve));
  child.kill(signal);
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(await closed).toBe(1001);
  for (const pid of pids) expect(await lives(pid)).toBe(false);
  expect(rowsOf(night.home)).toMatchObject({
    ...{ state: 'stopped', stopReason: 'user' },
    experiments: [{ phase: 'recorded' }, { phase: 'interrupted' }],
  });
  await checkNight(night);
});

test('Ctrl-C lets the experiment end, and says so', async () => {
  const { child, ended, night } = await servedTraining();
  const said = new Promise(resolve => {
    child.stdout?.on('data', text => String(text).includes('Ctrl-C again') && resolve(text));
  });
  child.kill('SIGINT');
  expect(await said).toBe(
    `${TAG} is running: it stops after this experiment, then Pawl ends. Ctrl-C again stops it now.\n`,
  );
  await writeFile(night.gate, '');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(rowsOf(night.home)).toMatchObject({
    ...{ state: 'stopped', stopReason: 'user' },
    experiments: [{ phase: 'recorded' }, { phase: 'recorded' }],
  });
  await checkNight(night);
});

test('Ctrl-C twice stops it now', async () => {
  const { child, ended, night } = await servedTraining();
  const said = new Promise(resolve => child.stdout?.once('data', resolve));
  child.kill('SIGINT');
  await said;
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(rowsOf(night.home).experiments).toMatchObject([{ phase: 'recorded' }, { phase: 'interrupted' }]);
  await checkNight(night);
});

test('a second signal while it ends does not cut the ending short', async () => {
  const { child, ended, night, study, socket } = await servedTraining();
  const closed = new Promise(resolve => socket.once('close', resolve));
  child.kill('SIGHUP');
  // The windows are told first.
  await closed;
  child.kill('SIGHUP');
  expect(await ended).toMatchObject({ code: 0 });
  expect(await findMarked(study)).toEqual([]);
  expect(rowsOf(night.home)).toMatchObject({ state: 'stopped', stopReason: 'user' });
});
