import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readIdentity } from '../../../src/engine/process/process-table.ts';
import { gpuStandIns, writeProgram } from '../../support/gpu-stand-ins.ts';
import { endOf, startNode } from '../../support/node-process.ts';
import { temporaryFolder } from '../../support/scaffold.ts';

const CHECK = fileURLToPath(new URL('../../../bench/check-gpu.ts', import.meta.url));

type Options = { readonly path: string; readonly env?: Readonly<Record<string, string>> };

/** The check with its temporary files in a folder of their own, which is to be empty at the end. */
async function startCheck(args: readonly string[], { path, env = {} }: Options) {
  const temporary = await temporaryFolder();
  const child = startNode(process.execPath, [CHECK, ...args], temporary, {
    ...{ PATH: path, TMPDIR: temporary },
    ...env,
  });
  return { child, ended: endOf(child), left: () => readdir(temporary) };
}

async function check(args: readonly string[], options: Options) {
  const began = performance.now();
  const { ended, left } = await startCheck(args, options);
  const { code, stdout, stderr } = await ended;
  const seconds = (performance.now() - began) / 1_000;
  expect(await left()).toEqual([]);
  const cells = stdout.split('\n').flatMap(line => {
    const [, name, what, measured, , result] = line.split(/(?<!\\) ?\| ?/);
    return name && !['check', '---'].includes(name) ? { what: `${name}: ${what}`, measured, result } : [];
  });
  const results = Object.fromEntries(cells.map(({ what, result }) => [what, result]));
  const measured = Object.fromEntries(cells.map(row => [row.what, row.measured]));
  return { code, stdout, stderr, results, measured, seconds };
}

const inFront = (folder: string) => `${folder}:${process.env.PATH}`;

test('without a GPU everything is skipped with why, and the exit code says so', async () => {
  const { code, stdout, stderr, results, measured } = await check([], { path: await temporaryFolder() });
  expect(stderr).toContain('there is no NVIDIA GPU on this machine: nvidia-smi is not on the PATH.');
  expect(code).toBe(3);
  expect(results).toEqual({
    'telemetry: samples beside nvidia-smi': 'skipped',
    'containment: bubblewrap': 'skipped',
    'study: 6 experiments of nano-gpt, 10 s each': 'skipped',
    'sharing: a run beside a second process on the GPU': 'skipped',
  });
  expect(measured['containment: bubblewrap']).toBe('PAWL_SANDBOX is off');
  expect(measured['study: 6 experiments of nano-gpt, 10 s each']).toBe('python3 is not on the PATH');
  expect(stdout).toContain('\n0 ok, 0 failed, 4 skipped\n');
});

test('a driver that is not there any more is no GPU either', async () => {
  const folder = await temporaryFolder();
  await writeProgram(folder, 'nvidia-smi', "#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n");
  const { code, stderr } = await check(['--only', 'telemetry'], { path: folder });
  expect(stderr).toContain('no NVIDIA GPU on this machine: nvidia-smi fails: NVIDIA-SMI has failed.');
  expect(code).toBe(3);
});

test('with a GPU it is measured, a study trains on it, and a second process is noticed', async () => {
  const run = async (...args: string[]) => check(args, { path: inFront(await gpuStandIns()) });
  const [telemetry, study, sharing] = await Promise.all([
    run('--only', 'telemetry', '--watch', '4'),
    run('--only', 'study', '--experiments', '1', '--seconds', '4'),
    run('--only', 'sharing', '--seconds', '5'),
  ]);
  expect(telemetry).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('\n11 ok, 0 failed, 0 skipped\n'),
  });
  expect(telemetry.measured).toMatchObject({
    'telemetry: GPU 0: name': 'NVIDIA RTX 6000, Ada',
    'telemetry: GPU 0: memory in all, MiB': '49140',
    'telemetry: GPU 0: power': '5 of 5; the farthest: 298.37 W, Pawl 298.37 to 298.37',
    'telemetry: long-lived tools': '2 at the end',
    'telemetry: starts of nvidia-smi': expect.stringMatching(/^2 for \d+ samples, with 2 different/),
  });
  // One a second for as long as it watched, which a busy machine makes longer.
  const samples = Number(
    / (\d+) samples/.exec(telemetry.measured['telemetry: starts of nvidia-smi'] ?? '')?.[1],
  );
  expect(samples).toBeGreaterThanOrEqual(3);
  expect(samples).toBeLessThanOrEqual(Math.max(5, telemetry.seconds));
  expect(study.code).toBe(0);
  expect(study.results).toEqual({
    'study: #0, the baseline': 'ok',
    'study: #1': 'ok',
    'study: 1 experiments of nano-gpt, 4 s each': 'ok',
    'study: what the trainings computed on': 'ok',
    'study: contained runs': 'skipped',
    'study: GPU samples a run': 'ok',
    'study: GPU energy a run': 'ok',
    'study: runs flagged `shared`': 'ok',
  });
  expect(study.measured).toMatchObject({
    'study: #0, the baseline': 'keep (baseline), val_bpb 2.500000',
    'study: what the trainings computed on': 'cuda in 2 of 2 runs',
    'study: contained runs': 'PAWL_SANDBOX is off',
  });
  expect(sharing.results).toEqual({
    'sharing: a run beside a second process on the GPU': 'ok',
    'sharing: the run again, once that process is gone': 'ok',
  });
  expect(sharing.measured).toMatchObject({
    'sharing: a run beside a second process on the GPU': expect.stringMatching(
      /^shared, process \d+ \(\w+\) with 512 MiB$/,
    ),
  });
  expect(sharing.code).toBe(0);
});

test('what is not as nvidia-smi says fails, and so does the exit code', async () => {
  const path = inFront(await gpuStandIns({ 'temperature.gpu': '31', 'memory.total': '46068' }));
  const { code, results } = await check(['--only', 'telemetry', '--watch', '2'], { path });
  expect(code).toBe(1);
  expect(
    Object.entries(results).flatMap(([what, result]) => (result === 'ok' ? [] : [what, result])),
  ).toEqual([
    'telemetry: GPU 0: memory in all, MiB',
    '**failed**',
    'telemetry: GPU 0: temperature',
    '**failed**',
  ]);
});

test('a GPU that answers only outside the sandbox fails, a sandbox that may do nothing is the machine’s', async () => {
  const containment = async (bwrap: string) => {
    const folder = await gpuStandIns();
    await writeProgram(folder, 'bwrap', `#!/bin/sh\n${bwrap}\n`);
    const env = { PAWL_SANDBOX: 'preferred' };
    return check(['--only', 'containment'], { path: inFront(folder), env });
  };
  const [deaf, forbidden, works] = await Promise.all([
    containment('case "$*" in *nvidia-smi*|*python3*) echo no device >&2; exit 1;; esac'),
    containment('echo "bwrap: setting up uid map: Permission denied" >&2; exit 1'),
    containment('while [ "$1" != -- ]; do shift; done; shift; exec "$@"'),
  ]);
  expect(deaf).toMatchObject({ code: 1, results: { 'containment: bubblewrap': '**failed**' } });
  expect(deaf.measured['containment: bubblewrap']).toContain('not inside it (no device)');
  expect(forbidden).toMatchObject({ code: 0, results: { 'containment: bubblewrap': 'skipped' } });
  expect(works.measured).toMatchObject({
    'containment: CUDA probe': 'inside: 0 0 1',
    'containment: nvidia-smi -L': 'inside: GPU 0: NVIDIA RTX 6000, Ada',
  });
});

test('interrupted, it ends what it started and leaves nothing behind', async () => {
  const folder = await gpuStandIns();
  const { child, ended, left } = await startCheck(['--only', 'sharing'], { path: inFront(folder) });
  const computing = async () =>
    (await readFile(join(folder, 'computing'), 'utf8')).split('\n').filter(Boolean);
  // The second process, and the training.
  await expect.poll(computing).toHaveLength(2);
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  expect(await left()).toEqual([]);
  expect((await computing()).filter(pid => readIdentity(Number(pid)) !== null)).toEqual([]);
});

test('bad usage is told before anything is done', async () => {
  const path = await temporaryFolder();
  const usages = [['--only', 'all'], ['--seconds', '0'], ['--fast']];
  for (const { code, stdout } of await Promise.all(usages.map(args => check(args, { path })))) {
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  }
});
