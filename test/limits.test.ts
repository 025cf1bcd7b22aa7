import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCgroup, userScope } from '../src/engine/process/cgroup.ts';
import { limitsFor, type RunLimits } from '../src/engine/process/limits.ts';
import { runTraining } from '../src/engine/process/run-training.ts';
import { DEFAULT_LIMITS } from '../src/shared/contract/contract-defaults.ts';
import { temporaryFolder } from './support/scaffold.ts';

const GIB = 1024 ** 3;

async function runLimited(command: string, limits: Partial<RunLimits>) {
  const folder = await temporaryFolder();
  const usual = await limitsFor(DEFAULT_LIMITS, folder);
  const logPath = join(folder, 'output.log');
  const result = await runTraining({
    ...{ command, cwd: folder, logPath, limitSeconds: 60, limits: { ...usual, ...limits } },
    environment: { PATH: process.env.PATH ?? '', PAWL_RUN: `limits-${process.hrtime.bigint()}/0.0` },
    onOutput: () => {},
    signal: new AbortController().signal,
  });
  return { ...result, log: await readFile(logPath, 'utf8') };
}

test('a run that takes more memory than it may is ended, and not for memory it only reserved', async () => {
  const reserve = 'import mmap; mmap.mmap(-1, 8 * 1024 ** 3); print("reserved")';
  const within = await runLimited(`python3 -c '${reserve}'`, { memoryBytes: GIB });
  expect(within).toMatchObject({ outcome: { kind: 'exit', code: 0 }, log: 'reserved\n' });
  const take = 'import time; taken = bytearray(300 * 1024 ** 2); print("taken", flush=True); time.sleep(60)';
  const beyond = await runLimited(`python3 -c '${take}'`, { memoryBytes: 200 * 1024 ** 2 });
  expect(beyond.outcome).toMatchObject({ kind: 'limited', limit: 'memory' });
  expect(beyond.survivors).toEqual([]);
});

test('memory that several processes share is counted once', async () => {
  // Five processes, each of which has the same 100 MiB: 500 MiB resident, a little over 100 in truth.
  const share =
    'import os, time; data = bytearray(100 * 1024 ** 2)\nfor _ in range(4):\n    if os.fork() == 0: time.sleep(2); os._exit(0)\ntime.sleep(2)';
  const { outcome } = await runLimited(`python3 -c '${share}'`, { memoryBytes: 300 * 1024 ** 2 });
  expect(outcome).toEqual({ kind: 'exit', code: 0 });
});

test('a run with more processes than it may have is ended, all of them', async () => {
  const { outcome, survivors } = await runLimited('for i in $(seq 30); do sleep 60 & done; wait', {
    processes: 20,
  });
  expect(outcome).toMatchObject({
    kind: 'limited',
    limit: 'processes',
    message: expect.stringContaining('20'),
  });
  expect(survivors).toEqual([]);
});

test('the kernel takes a training before the engine when memory runs out', async () => {
  const { log } = await runLimited('cat /proc/self/oom_score_adj', {});
  expect(log).toBe('900\n');
  expect(Number(await readFile('/proc/self/oom_score_adj', 'utf8'))).toBeLessThan(900);
});

test('the contract’s limits are what a run gets, and Pawl’s own where it says nothing', async () => {
  const folder = await temporaryFolder();
  const own = await limitsFor({ memoryGb: 2, processes: 8, freeDiskGb: 0.5 }, folder);
  expect(own).toEqual({ memoryBytes: 2 * GIB, processes: 8, disk: { folder, minFreeBytes: GIB / 2 } });
  const usual = await limitsFor(DEFAULT_LIMITS, folder);
  expect(usual.processes).toBe(4096);
  expect(usual.disk.minFreeBytes).toBeLessThanOrEqual(256 * 1024 ** 2);
});

/** A tree of control groups laid out as the kernel's; no machine of the tests hands its controllers down. */
async function groupTree(own: string, handedDown: Readonly<Record<string, string>>) {
  const root = await temporaryFolder();
  await mkdir(join(root, own), { recursive: true });
  for (const [group, controllers] of Object.entries(handedDown)) {
    await writeFile(join(root, group, 'cgroup.subtree_control'), `${controllers}\n`);
  }
  const self = join(root, 'self');
  await writeFile(self, `1:name=systemd:/\n0::/${own}\n`);
  return { self, root, systemd: join(root, 'systemd'), linger: join(root, 'linger') };
}

const LIMITS: RunLimits = { memoryBytes: GIB, processes: 10, disk: { folder: '/', minFreeBytes: 0 } };

test('where control groups are handed down a run gets one with its limits', async () => {
  const files = await groupTree('user/app.slice/pawl.scope', {
    'user/app.slice': 'cpu memory pids',
    'user/app.slice/pawl.scope': '',
  });
  const group = await makeCgroup('run', LIMITS, files);
  const folder = join(files.root, 'user/app.slice/run');
  expect(group?.processes).toBe(join(folder, 'cgroup.procs'));
  const values = await Promise.all(
    ['memory.max', 'pids.max', 'memory.oom.group'].map(name => readFile(join(folder, name), 'utf8')),
  );
  expect(values).toEqual([String(GIB), '80', '1']);
  expect(await group?.hasRunOut()).toBe(false);
  await writeFile(join(folder, 'memory.events'), 'low 0\noom 1\noom_kill 1\n');
  expect(await group?.hasRunOut()).toBe(true);
});

test('where nobody handed them down a run gets none, and the watch does', async () => {
  const none = await groupTree('session', { session: 'cpu' });
  expect(await makeCgroup('run', LIMITS, none)).toBeNull();
  expect(await makeCgroup('run', LIMITS, { ...none, self: join(none.root, 'not there') })).toBeNull();
  // A group without the controller: its file of the limit cannot be written, and nothing is left of the try.
  const closed = await groupTree('a/b', { a: 'memory pids', 'a/b': '' });
  await mkdir(join(closed.root, 'a', 'run', 'memory.max'), { recursive: true });
  expect(await makeCgroup('run', LIMITS, closed)).toBeNull();
  expect(await readdir(join(closed.root, 'a'))).toEqual(['b', 'cgroup.subtree_control', 'run']);
});

test('a run is put into a scope of the user’s systemd only where that outlives the last log-out', async () => {
  const files = await groupTree('session', {});
  const bin = await temporaryFolder();
  await writeFile(join(bin, 'systemd-run'), '#!/bin/sh\n');
  await chmod(join(bin, 'systemd-run'), 0o755);
  const environment = { PATH: bin, XDG_RUNTIME_DIR: '/run/user/1000' };
  await mkdir(files.systemd);
  await mkdir(files.linger);
  const isRoot = process.getuid?.() === 0;
  expect(await userScope(environment, LIMITS, files)).toEqual([]);
  await writeFile(join(files.linger, userInfo().username), '');
  const scope = await userScope(environment, LIMITS, files);
  // Root's runs belong to no user's session.
  expect(scope).toEqual(
    isRoot
      ? []
      : [
          ...[join(bin, 'systemd-run'), '--user', '--scope', '--quiet', '--collect'],
          ...[`--property=MemoryMax=${GIB}`, '--property=TasksMax=80', '--'],
        ],
  );
});
