import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parseGpuRow } from '../src/engine/machine/gpu-query.ts';
import { HostSampler } from '../src/engine/machine/host-sampler.ts';
import { Telemetry, type TelemetryOptions } from '../src/engine/machine/telemetry.ts';
import type { TelemetrySample } from '../src/shared/machines/telemetry.ts';
import { fakeNvidiaSmi, H100, LAPTOP } from './support/played-gpu-tool.ts';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

function startTelemetry(options: TelemetryOptions): Telemetry {
  // Of the two tools a test plays the one that tells of GPUs.
  const telemetry = new Telemetry({
    intervalMs: 2,
    ...options,
    gpu: { hasProcesses: false, ...options.gpu },
  });
  onTestFinished(() => telemetry.stop());
  telemetry.start();
  return telemetry;
}

function nextSample(
  telemetry: Telemetry,
  isSo: (sample: TelemetrySample) => boolean = () => true,
): Promise<TelemetrySample> {
  return new Promise(resolve => {
    const leave = telemetry.onSample(sample => {
      if (!isSo(sample)) return;
      leave();
      resolve(sample);
    });
  });
}

test('the host sampler works out what the kernel’s numbers say', async () => {
  const folder = await temporaryFolder();
  const stat = (line: string) => ({ stat: `${line}\ncpu0 9 9 9 9 9 9 9 9 9 9\nintr 1\n` });
  await writeFiles(folder, {
    ...stat('cpu  100 0 50 800 50 0 0 0 70 0'),
    meminfo: 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n',
    loadavg: '1.25 0.40 0.90 1/82 22522\n',
  });
  const sampler = new HostSampler(folder);
  const memory = { memoryUsedBytes: 600 * 1024, memoryTotalBytes: 1000 * 1024, load: 1.25 };
  expect(sampler.read()).toStrictEqual(memory);
  // 200 ticks: 40 user (the guest's 30 among them), 10 system, 120 idle, 30 waiting for a disk.
  await writeFiles(folder, stat('cpu  140 0 60 920 80 0 0 0 100 0'));
  expect(sampler.read()).toStrictEqual({ cpuPercent: 25, ...memory });
  expect(sampler.read()).toStrictEqual(memory);
  await writeFiles(folder, stat('cpu  150 0 60 920 70 0 10 0 100 0'));
  expect(sampler.read().cpuPercent).toBe(100);
});

test('the host sampler reads this machine', () => {
  const sampler = new HostSampler();
  const first = sampler.read();
  expect(first).not.toHaveProperty('cpuPercent');
  expect(first.memoryTotalBytes).toBeGreaterThan(64 * 1024 ** 2);
  expect(first.memoryUsedBytes).toBeGreaterThan(0);
  expect(first.memoryUsedBytes).toBeLessThan(first.memoryTotalBytes);
  expect(first.load).toBeGreaterThanOrEqual(0);
  // Work until the kernel has counted a tick of it.
  let second = sampler.read();
  const deadline = performance.now() + 10_000;
  while ((second.cpuPercent ?? 0) === 0 && performance.now() < deadline) second = sampler.read();
  expect(second.cpuPercent).toBeGreaterThan(0);
  expect(second.cpuPercent).toBeLessThanOrEqual(100);
});

test('the GPUs are known once the tool has told, or is known not to', async () => {
  const smi = await fakeNvidiaSmi();
  const telemetry = startTelemetry({ environment: smi.environment });
  const known = telemetry.knownGpus(60_000);
  (await smi.next()).print(`${H100}\n${LAPTOP}\n`);
  expect((await known).map(({ index }) => index)).toContain(0);
  const without = startTelemetry({ environment: { PATH: await temporaryFolder() } });
  expect(await without.knownGpus(60_000)).toEqual([]);
  const silent = await fakeNvidiaSmi();
  expect(await startTelemetry({ environment: silent.environment }).knownGpus(20)).toEqual([]);
});

test('telemetry hands out the host with its GPUs and says how the GPUs are', async () => {
  const smi = await fakeNvidiaSmi();
  let time = 1_700_000_000_000;
  const telemetry = startTelemetry({
    environment: smi.environment,
    now: () => {
      time += 1000;
      return time;
    },
  });
  expect(telemetry.gpuState).toEqual({ kind: 'starting' });
  const first = await nextSample(telemetry);
  expect(first).toEqual({ at: 1_700_000_001_000, host: expect.any(Object), gpus: [] });
  expect(first.host).not.toHaveProperty('cpuPercent');
  expect(first.host.memoryTotalBytes).toBeGreaterThan(0);
  const tool = await smi.next();
  const withGpu = nextSample(telemetry, sample => sample.gpus.length > 0);
  tool.print(`${H100}\n`);
  expect((await withGpu).gpus).toEqual([parseGpuRow(H100)]);
  expect(telemetry.gpuState).toEqual({ kind: 'sampling' });
  expect(telemetry.recent().map(sample => sample.at)).toEqual(
    telemetry.recent().map((_, at) => 1_700_000_001_000 + at * 1000),
  );
  await nextSample(telemetry, sample => sample.host.cpuPercent !== undefined);
  telemetry.stop();
  await tool.gone;
  expect(telemetry.gpuState).toEqual({ kind: 'starting' });
});

test('telemetry without a GPU goes on and keeps the last 300 samples', async () => {
  let samples = 0;
  const telemetry = startTelemetry({ environment: {}, intervalMs: 1, now: () => samples });
  await new Promise<void>(resolve => {
    telemetry.onSample(() => {
      samples += 1;
      if (samples === 305) resolve();
    });
  });
  telemetry.stop();
  expect(telemetry.gpuState).toEqual({ kind: 'starting' });
  expect(telemetry.recent()).toHaveLength(300);
  expect(telemetry.recent()[0]?.at).toBe(5);
  expect(telemetry.recent().at(-1)?.at).toBe(304);
});

test('a listener that throws stops neither the others nor the sampling', async () => {
  const errors: unknown[] = [];
  const telemetry = startTelemetry({
    environment: {},
    onError: error => errors.push((error as Error).message),
  });
  telemetry.onSample(() => {
    throw new Error('broken');
  });
  await nextSample(telemetry);
  await nextSample(telemetry);
  await nextSample(telemetry, () => telemetry.gpuState.kind === 'none');
  expect(errors.length).toBeGreaterThanOrEqual(2);
  expect(new Set(errors)).toEqual(new Set(['broken']));
});

test('a listener that left hears no more, and one that joined twice leaves once', async () => {
  const telemetry = startTelemetry({ environment: {} });
  let calls = 0;
  const count = () => {
    calls += 1;
  };
  const leave = telemetry.onSample(count);
  telemetry.onSample(count);
  leave();
  leave();
  await nextSample(telemetry);
  const before = calls;
  await nextSample(telemetry);
  expect(calls - before).toBe(1);
});

test('telemetry can be started twice and again after a stop', async () => {
  const telemetry = startTelemetry({ environment: {} });
  telemetry.start();
  await nextSample(telemetry, sample => sample.host.cpuPercent !== undefined);
  telemetry.stop();
  telemetry.stop();
  const kept = telemetry.recent();
  // A timer that was not stopped would fire before these.
  const other = startTelemetry({ environment: {} });
  await nextSample(other, sample => sample.host.cpuPercent !== undefined);
  expect(telemetry.recent()).toBe(kept);
  telemetry.start();
  const next = await nextSample(telemetry);
  expect(next.host).not.toHaveProperty('cpuPercent');
  expect(telemetry.recent()).toEqual([...kept, next]);
});

test('telemetry lets its process end, and takes a tool that hangs with it', async () => {
  const smi = await fakeNvidiaSmi();
  const folder = await temporaryFolder();
  const module = pathToFileURL(join(import.meta.dirname, '../src/engine/machine/telemetry.ts')).href;
  await writeFiles(folder, {
    'host.mjs': `import { Telemetry } from ${JSON.stringify(module)};
const environment = ${JSON.stringify(smi.environment)};
const telemetry = new Telemetry({ environment, intervalMs: 5, gpu: { hasProcesses: false } });
telemetry.start();
telemetry.onSample(() => telemetry.gpuState.kind === 'sampling' && process.disconnect?.());
`,
  });
  // The channel keeps it alive until the tool has given a row; then nothing but telemetry could.
  const host = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `process.on('message', () => {}); await import('${join(folder, 'host.mjs')}')`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  onTestFinished(() => void host.kill('SIGKILL'));
  const ended = once(host, 'exit');
  const tool = await smi.next();
  tool.print(`${H100}\n`);
  expect(await ended).toEqual([0, null]);
  await tool.gone;
});
