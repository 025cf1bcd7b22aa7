import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { gpuEnergyWh } from '../src/engine/machine/energy.ts';
import { parseGpuProcess } from '../src/engine/machine/gpu-processes.ts';
import { findRejectedMeasures, GPU_MEASURES, parseGpuRow } from '../src/engine/machine/gpu-query.ts';
import { GpuSampler, type GpuSamplerOptions } from '../src/engine/machine/gpu-sampler.ts';
import { HostSampler } from '../src/engine/machine/host-sampler.ts';
import { backoffMs } from '../src/engine/machine/smi-tool.ts';
import { Telemetry, type TelemetryOptions } from '../src/engine/machine/telemetry.ts';
import { readIdentity } from '../src/engine/process/process-table.ts';
import { type GpuState, type TelemetrySample, THROTTLE, throttleWords } from '../src/shared/telemetry.ts';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

const H100 =
  '0, GPU-8fe3a97d-51f6-a669-0d80-b4530b81b816, NVIDIA H100 80GB HBM3, 97, 45061, 81559, 54, 612.37, 700.00, 1755, 2619, [N/A], 5, 16, 0x0000000000000004, Disabled';
/** Split by MIG: the whole has no utilisation. */
const MIG =
  '1, GPU-c97b7f88-c06d-650f-5339-f8dd0c1315c0, NVIDIA A100-SXM4-40GB, [N/A], 19, 40960, 31, 54.21, 400.00, 210, 1215, [N/A], 4, 16, 0x0000000000000001, Enabled';
/** A small card without power readings. */
const LAPTOP =
  '2, GPU-a230e637-c9e1-1b61-3830-a437b874d88d, NVIDIA GeForce MX150, 3, 210, 2048, 45, [Not Supported], [Not Supported], 139, 405, 31, 3, 4, [Not Supported], [N/A]';
const MISMATCH = 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.54\n';

/** One process of the stand-in for nvidia-smi. It does what the test tells it and nothing by itself. */
type FakeTool = {
  readonly args: readonly string[];
  readonly pid: number;
  /** Prints text on standard output. */
  print(text: string): void;
  /** Prints text and exits. */
  end(text: string, code: number, stream?: 'stdout' | 'stderr'): void;
  /** Resolves when the process is dead, however it died. */
  readonly gone: Promise<unknown>;
};

const FAKE_TOOL = `const socket = require('node:net').connect(process.argv[2]);
socket.write(JSON.stringify({ args: process.argv.slice(3), pid: process.pid }) + '\\n');
socket.on('close', () => process.exit());
require('node:readline').createInterface({ input: socket }).on('line', line => {
  const { text, code, stream = 'stdout' } = JSON.parse(line);
  process[stream].write(text, () => {
    if (code !== undefined) process.exit(code);
  });
});
`;

/** An executable nvidia-smi in a folder of its own, and its processes in the order of their start. */
async function fakeNvidiaSmi(): Promise<{
  environment: { PATH: string };
  next(): Promise<FakeTool>;
  count(): number;
}> {
  const folder = await temporaryFolder();
  const waiting: ((tool: FakeTool) => void)[] = [];
  const started: FakeTool[] = [];
  let count = 0;
  const server = createServer((socket: Socket) => {
    const gone = new Promise(resolve => socket.on('close', resolve));
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    createInterface({ input: socket }).on('line', line => {
      const tell = (order: object) => socket.write(`${JSON.stringify(order)}\n`);
      const tool: FakeTool = {
        ...(JSON.parse(line) as Pick<FakeTool, 'args' | 'pid'>),
        print: text => tell({ text }),
        end: (text, code, stream) => tell({ text, code, stream }),
        gone,
      };
      count += 1;
      const waiter = waiting.shift();
      if (waiter) waiter(tool);
      else started.push(tool);
    });
  });
  const path = join(folder, 'socket');
  server.listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  await writeFile(join(folder, 'fake.cjs'), FAKE_TOOL);
  await writeTool(
    folder,
    `#!/bin/sh\n[ "$1" = -L ] && exit\nexec '${process.execPath}' '${join(folder, 'fake.cjs')}' '${path}' "$@"\n`,
  );
  return {
    environment: { PATH: folder },
    next: () => {
      const tool = started.shift();
      return tool ? Promise.resolve(tool) : new Promise(resolve => waiting.push(resolve));
    },
    count: () => count,
  };
}

async function writeTool(folder: string, script: string): Promise<void> {
  await writeFile(join(folder, 'nvidia-smi'), script);
  await chmod(join(folder, 'nvidia-smi'), 0o755);
}

/** A started sampler whose restarts do not wait, with the waits it asked for and its states without repeats. */
function startSampler(options: GpuSamplerOptions) {
  const waits: number[] = [];
  const states: GpuState[] = [];
  const watchers = new Set<() => void>();
  const sampler = new GpuSampler({
    wait: ms => {
      waits.push(ms);
      return new Promise(resolve => setImmediate(resolve));
    },
    onUpdate: () => {
      if (states.at(-1)?.kind !== sampler.state.kind) states.push(sampler.state);
      for (const watcher of [...watchers]) watcher();
    },
    ...options,
  });
  onTestFinished(() => sampler.stop());
  sampler.start();
  /** Resolves with the state at the first update, from now on, for which this is so. */
  const until = (isSo: (sampler: GpuSampler) => boolean) =>
    new Promise<GpuState>(resolve => {
      const watcher = () => {
        if (!isSo(sampler)) return;
        watchers.delete(watcher);
        resolve(sampler.state);
      };
      watchers.add(watcher);
    });
  return { sampler, waits, states, until };
}

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

const isFailing = (sampler: GpuSampler) => sampler.state.kind === 'failing';
const isSampling = (sampler: GpuSampler) => sampler.state.kind === 'sampling';

afterEach(() => void vi.useRealTimers());

test('a row holds every number of the GPU', () => {
  expect(parseGpuRow(H100)).toEqual({
    index: 0,
    uuid: 'GPU-8fe3a97d-51f6-a669-0d80-b4530b81b816',
    name: 'NVIDIA H100 80GB HBM3',
    utilizationPercent: 97,
    memoryUsedMib: 45061,
    memoryTotalMib: 81559,
    temperatureCelsius: 54,
    powerWatts: 612.37,
    powerLimitWatts: 700,
    smClockMhz: 1755,
    memoryClockMhz: 2619,
    pcieGeneration: 5,
    pcieLanes: 16,
    throttleReasons: 4,
    migMode: 0,
  });
});

test.each(['[N/A]', '[Not Supported]', '[Unknown Error]', '[GPU requires reset]', 'ERR!', '', '97 %', 'NaN'])(
  'the field "%s" is absent and not 0',
  text => {
    const sample = parseGpuRow(
      `0, GPU-1, NVIDIA L4, ${text}, 1, 2, 3, 4.5, ${text}, 6, ${text}, 7, ${text}, 8, ${text}, ${text}`,
    );
    expect(sample).toStrictEqual({
      ...{ index: 0, uuid: 'GPU-1', name: 'NVIDIA L4', memoryUsedMib: 1, memoryTotalMib: 2 },
      ...{ temperatureCelsius: 3, powerWatts: 4.5, smClockMhz: 6, fanPercent: 7, pcieLanes: 8 },
    });
  },
);

test('a name keeps its commas, and an unknown name is empty', () => {
  const name = (text: string) =>
    parseGpuRow(`7, GPU-1, ${text}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x0c, Enabled`);
  expect(name('NVIDIA RTX 6000, Ada,1 of 2')).toMatchObject({
    index: 7,
    name: 'NVIDIA RTX 6000, Ada,1 of 2',
    utilizationPercent: 1,
    memoryClockMhz: 8,
    throttleReasons: 12,
    migMode: 1,
  });
  expect(name('[Unknown Error]')?.name).toBe('');
});

test.each([
  '',
  'No devices were found',
  'Failed to initialize NVML: Driver/library version mismatch',
  'index, uuid, name, utilization.gpu [%], memory.used, memory.total, temperature.gpu, power.draw, power.limit, a, b, c, d, e, f, g',
  H100.split(',').slice(0, 15).join(','),
  Array.from({ length: 16 }, () => '[Unknown Error]').join(', '),
])('the line "%s" is no GPU', line => {
  expect(parseGpuRow(line)).toBeNull();
});

test('what holds the clocks down is told in words', () => {
  expect(throttleWords(0)).toEqual([]);
  expect(throttleWords(THROTTLE.idle)).toEqual([]);
  expect(throttleWords(THROTTLE.powerCap | THROTTLE.hardwareThermal)).toEqual([
    'too hot',
    'at its power limit',
  ]);
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

test('processes that compute are told with their GPU, by a tool of its own, and forgotten when they are gone', async () => {
  const smi = await fakeNvidiaSmi();
  let time = 1000;
  const { sampler, until } = startSampler({
    environment: smi.environment,
    now: () => time,
    hasProcesses: true,
  });
  const tools = [await smi.next(), await smi.next()];
  const processes = tools.find(({ args }) => args[0] === '--query-compute-apps=gpu_uuid,pid,used_gpu_memory');
  const gpus = tools.find(tool => tool !== processes);
  const uuid = 'GPU-8fe3a97d-51f6-a669-0d80-b4530b81b816';
  processes?.print(`${uuid}, 4242, 3000\n${uuid}, 4243, [N/A]\nGPU-other, 1, 5\nno running processes\n`);
  const isTold = until(() => sampler.gpus()[0]?.processes?.length === 2);
  const again = setInterval(() => gpus?.print(`${H100}\n`), 5);
  onTestFinished(() => clearInterval(again));
  await isTold;
  expect(sampler.gpus()[0]?.processes).toEqual([
    { uuid, pid: 4242, memoryMib: 3000 },
    { uuid, pid: 4243 },
  ]);
  time += 5_001;
  await until(() => sampler.gpus().length === 1 && sampler.gpus()[0]?.processes === undefined);
});

test.each(['', 'no running processes', 'GPU-1, x, 5', 'pid, 1, 2', 'GPU-1, 5, 6, 7'])(
  'the line "%s" is no process',
  line => {
    expect(parseGpuProcess(line)).toBeNull();
  },
);

test('energy is the integral of power, without what was not measured', () => {
  const at = (seconds: number, ...watts: number[]) => ({
    seconds,
    step: null,
    values: new Map(watts.map((value, index) => [`gpu${index}_power_watts`, value])),
  });
  expect(gpuEnergyWh([])).toBeNull();
  expect(
    gpuEnergyWh([{ seconds: 0, step: null, values: new Map([['cpu_percent', 3]]) }, at(1, 100)]),
  ).toBeNull();
  // A second at 300 W on the average, on each of two GPUs.
  expect(gpuEnergyWh([at(0, 200, 300), at(1, 400, 300)])).toBeCloseTo(600 / 3600);
  // Half an hour without a sample, a sleep of the machine for instance, counts for nothing.
  expect(gpuEnergyWh([at(0, 300), at(1, 300), at(1801, 300), at(1802, 300)])).toBeCloseTo(600 / 3600);
});

test('only measures of the query are taken for rejected', () => {
  const text =
    'Field "clocks.mem" is not a valid field to query. Field "uuid" is not a valid field to query.';
  expect(findRejectedMeasures(text)).toEqual(['clocks.mem']);
  expect(findRejectedMeasures('clocks.mem')).toEqual([]);
});

test('the back-off doubles from a second to a minute', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 5000].map(failures => backoffMs(failures))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000,
  ]);
});

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

test('one process reports several GPUs, each with what its driver knows', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, states, until } = startSampler({ environment: smi.environment, intervalMs: 1000 });
  expect(sampler.state).toEqual({ kind: 'starting' });
  const tool = await smi.next();
  expect(tool.args).toEqual([
    `--query-gpu=index,uuid,name,${GPU_MEASURES.join(',')}`,
    '--format=csv,noheader,nounits',
    '-lms',
    '1000',
  ]);
  const three = until(() => sampler.gpus().length === 3);
  tool.print(`${LAPTOP}\n${H100}\r\n\n${MIG}\n`);
  await three;
  expect(sampler.gpus()).toStrictEqual([H100, MIG, LAPTOP].map(line => parseGpuRow(line)));
  expect(sampler.gpus()[1]).not.toHaveProperty('utilizationPercent');

  const newer = until(() => sampler.gpus()[0]?.utilizationPercent === 12);
  tool.print(`${H100.replace(' 97,', ' 12,')}\n`);
  await newer;
  expect(sampler.gpus().map(gpu => gpu.index)).toEqual([0, 1, 2]);
  expect(states).toEqual([{ kind: 'sampling' }]);
  expect(smi.count()).toBe(1);
});

test('a GPU that stopped reporting is left out after five seconds', async () => {
  const smi = await fakeNvidiaSmi();
  let time = 1000;
  const { sampler, until } = startSampler({ environment: smi.environment, now: () => time });
  const tool = await smi.next();
  const both = until(() => sampler.gpus().length === 2);
  tool.print(`${H100}\n${MIG}\n`);
  await both;
  time += 4000;
  const again = until(() => true);
  tool.print(`${MIG}\n`);
  await again;
  expect(sampler.gpus().map(gpu => gpu.index)).toEqual([0, 1]);
  time += 1001;
  expect(sampler.gpus().map(gpu => gpu.index)).toEqual([1]);
});

test('a field the driver rejects is dropped, and the sampling goes on at once', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, waits, states, until } = startSampler({ environment: smi.environment });
  (await smi.next()).end('Field "clocks.mem" is not a valid field to query.\n\n', 2);
  const second = await smi.next();
  expect(second.args[0]).toMatch(/power\.limit,clocks\.sm,fan\.speed,/);
  second.end('Field "power.limit" is not a valid field to query.\n\n', 2);
  const third = await smi.next();
  expect(third.args[0]).toMatch(/power\.draw,clocks\.sm,fan\.speed,/);
  const row = until(isSampling);
  third.print('0, GPU-1, NVIDIA L4, 5, 10, 20, 30, 40.5, 1500, 25, 4, 8, 0x0, Disabled\n');
  await row;
  expect(sampler.gpus()).toStrictEqual([
    {
      ...{ index: 0, uuid: 'GPU-1', name: 'NVIDIA L4', utilizationPercent: 5, memoryUsedMib: 10 },
      ...{ memoryTotalMib: 20, temperatureCelsius: 30, powerWatts: 40.5, smClockMhz: 1500 },
      ...{ fanPercent: 25, pcieGeneration: 4, pcieLanes: 8, throttleReasons: 0, migMode: 0 },
    },
  ]);
  expect(waits).toEqual([]);
  expect(states).toEqual([{ kind: 'sampling' }]);
});

test('a field that is rejected again and again is a failure and no endless loop', async () => {
  const smi = await fakeNvidiaSmi();
  const { waits, until } = startSampler({ environment: smi.environment });
  const failing = until(isFailing);
  (await smi.next()).end('Field "uuid" is not a valid field to query.\n', 2);
  expect(await failing).toEqual({
    kind: 'failing',
    message: 'Field "uuid" is not a valid field to query.',
  });
  await smi.next();
  expect(waits).toEqual([1000]);
});

test('a tool that dies after two lines is started again, later each time', async () => {
  const smi = await fakeNvidiaSmi();
  let time = 0;
  const exitListeners = process.listenerCount('exit');
  const { sampler, waits, states, until } = startSampler({
    environment: smi.environment,
    now: () => {
      time += 1;
      return time;
    },
    firstBackoffMs: 10,
    maxBackoffMs: 35,
    silenceMs: 60_000,
  });
  for (let death = 0; death < 4; death += 1) {
    const failing = until(isFailing);
    (await smi.next()).end(`${H100}\n${MIG}\n`, 255);
    expect(await failing).toEqual({
      kind: 'failing',
      message: 'nvidia-smi ended with 255 and said nothing.',
    });
  }
  const last = await smi.next();
  expect(waits).toEqual([10, 20, 35, 35]);
  // At most, because the one of an earlier test’s dying tool may have been among them.
  expect(process.listenerCount('exit')).toBeLessThanOrEqual(exitListeners + 1);
  expect(sampler.gpus()).toHaveLength(2);

  const sampling = until(isSampling);
  last.print(`${H100}\n`);
  await sampling;
  time += 35;
  const failing = until(isFailing);
  last.end('', 1);
  await failing;
  await smi.next();
  expect(waits.at(-1)).toBe(10);
  expect(states.map(state => state.kind)).toEqual(
    Array.from({ length: 5 }, () => ['sampling', 'failing']).flat(),
  );
});

test('a tool that hangs is killed after ten seconds and started again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const smi = await fakeNvidiaSmi();
  const { sampler, waits, states, until } = startSampler({ environment: smi.environment });
  const tool = await smi.next();
  for (const _ of [1, 2]) {
    const row = until(isSampling);
    tool.print(`${H100}\n`);
    await row;
    vi.advanceTimersByTime(9999);
    expect(sampler.state.kind).toBe('sampling');
  }
  // Said while it still lives: one that hangs inside the driver cannot be killed for as long as it does.
  const alive: boolean[] = [];
  const failing = until(() => {
    alive.push(readIdentity(tool.pid) !== null);
    return true;
  });
  vi.advanceTimersByTime(1);
  expect(await failing).toEqual({ kind: 'failing', message: 'nvidia-smi has printed nothing for 10 s.' });
  expect(alive).toEqual([true]);
  await tool.gone;
  const sampling = until(isSampling);
  (await smi.next()).print(`${H100}\n`);
  await sampling;
  expect(waits).toEqual([1000]);
  expect(states.map(state => state.kind)).toEqual(['sampling', 'failing', 'sampling']);
});

test('a dead tool’s silence is not held against the next one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const smi = await fakeNvidiaSmi();
  const { sampler, until } = startSampler({ environment: smi.environment });
  const failing = until(isFailing);
  (await smi.next()).end(`${H100}\n`, 1);
  await failing;
  const tool = await smi.next();
  vi.advanceTimersByTime(5000);
  const sampling = until(isSampling);
  tool.print(`${H100}\n`);
  await sampling;
  vi.advanceTimersByTime(9999);
  expect(sampler.state.kind).toBe('sampling');
});

test('a tool that never answers is killed, later each time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const smi = await fakeNvidiaSmi();
  const { states, until } = startSampler({ environment: smi.environment });
  for (const seconds of [10, 20, 40, 60, 60]) {
    const tool = await smi.next();
    const failing = until(isFailing);
    const before = states.length;
    vi.advanceTimersByTime(seconds * 1000 - 1);
    expect(states.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(await failing).toEqual({
      kind: 'failing',
      message: `nvidia-smi has printed nothing for ${seconds} s.`,
    });
    await tool.gone;
  }
});

test('a tool that only complains is killed with its complaint for a message', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const smi = await fakeNvidiaSmi();
  const { until } = startSampler({ environment: smi.environment });
  const tool = await smi.next();
  const row = until(isSampling);
  tool.print(`${H100}\nGPU is lost\n`);
  await row;
  const failing = until(isFailing);
  vi.advanceTimersByTime(10_000);
  expect(await failing).toEqual({ kind: 'failing', message: 'GPU is lost' });
  await tool.gone;
});

test('a dead tool’s descendant that holds its output open delays nothing for long', async () => {
  const folder = await temporaryFolder();
  await writeTool(folder, `#!/bin/sh\n/bin/sleep 100 &\necho $! >> '${folder}/pids'\necho broken\nexit 3\n`);
  onTestFinished(async () => {
    for (const pid of (await readFile(join(folder, 'pids'), 'utf8')).trim().split('\n'))
      process.kill(Number(pid), 'SIGKILL');
  });
  const { until } = startSampler({ environment: { PATH: folder }, wait: () => new Promise(() => {}) });
  expect(await until(isFailing)).toEqual({ kind: 'failing', message: 'broken' });
});

test('what the tool says when it cannot reach the driver is the message', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, waits, until } = startSampler({ environment: smi.environment });
  const failing = until(isFailing);
  (await smi.next()).end(MISMATCH, 18);
  expect(await failing).toEqual({
    kind: 'failing',
    message: 'Failed to initialize NVML: Driver/library version mismatch NVML library version: 550.54',
  });
  expect(sampler.gpus()).toEqual([]);
  const again = until(isFailing);
  (await smi.next()).end('nvidia-smi: error while loading shared libraries', 127, 'stderr');
  expect(await again).toEqual({
    kind: 'failing',
    message: 'nvidia-smi: error while loading shared libraries',
  });
  // The driver was mended.
  const sampling = until(isSampling);
  (await smi.next()).print(`${H100}\n`);
  await sampling;
  expect(waits).toEqual([1000, 2000]);
});

test('a lost GPU’s complaints leave the others’ rows alone', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, states, until } = startSampler({ environment: smi.environment });
  const both = until(() => sampler.gpus().length === 2);
  const tool = await smi.next();
  tool.print(
    `${H100}\nUnable to determine the device handle for GPU 0000:02:00.0: GPU is lost.\n${LAPTOP}\n`,
  );
  await both;
  expect(sampler.gpus().map(gpu => gpu.index)).toEqual([0, 2]);
  expect(states).toEqual([{ kind: 'sampling' }]);
  // A complaint that a row has followed did not kill it.
  const failing = until(isFailing);
  tool.end('', 1);
  expect(await failing).toEqual({ kind: 'failing', message: 'nvidia-smi ended with 1 and said nothing.' });
});

test('endless garbage is cut', async () => {
  const smi = await fakeNvidiaSmi();
  const { until } = startSampler({ environment: smi.environment });
  const failing = until(isFailing);
  (await smi.next()).end(`${'x'.repeat(2_000_000)}\n${'y'.repeat(2_000_000)}\n`, 1);
  expect(await failing).toEqual({ kind: 'failing', message: 'x'.repeat(1000) });
});

test('half a row at the end is not taken for a whole one', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, until } = startSampler({ environment: smi.environment });
  const failing = until(isFailing);
  (await smi.next()).end(`${MIG}\n${H100.slice(0, -2)}`, 1);
  await failing;
  expect(sampler.gpus().map(gpu => gpu.index)).toEqual([1]);
});

test('a tool that cannot be started is tried again', async () => {
  const folder = await temporaryFolder();
  await writeTool(folder, '#!/nonexistent/interpreter\n');
  const { waits, until } = startSampler({ environment: { PATH: folder } });
  expect(await until(isFailing)).toEqual({
    kind: 'failing',
    message: expect.stringMatching(/^nvidia-smi could not be started: .*ENOENT/),
  });
  await until(() => waits.length === 3);
  expect(waits.slice(0, 3)).toEqual([1000, 2000, 4000]);
});

test('a missing tool is looked for again at a new start', async () => {
  const smi = await fakeNvidiaSmi();
  const environment = { PATH: await temporaryFolder() };
  const { sampler, waits, until } = startSampler({ environment });
  expect(await until(() => true)).toEqual({ kind: 'none' });
  expect(waits).toEqual([]);
  sampler.stop();
  environment.PATH = smi.environment.PATH;
  sampler.start();
  const sampling = until(isSampling);
  (await smi.next()).print(`${H100}\n`);
  await sampling;
});

test('stop kills the tool and forgets its rows, and start begins anew', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, waits, until } = startSampler({ environment: smi.environment });
  for (const _ of [1, 2]) {
    const tool = await smi.next();
    const sampling = until(isSampling);
    tool.print(`${H100}\n`);
    await sampling;
    sampler.start();
    sampler.stop();
    sampler.stop();
    expect(sampler.gpus()).toEqual([]);
    expect(sampler.state).toEqual({ kind: 'starting' });
    await tool.gone;
    sampler.start();
  }
  await smi.next();
  expect(smi.count()).toBe(3);
  expect(waits).toEqual([]);
});

test('rows that come after stop are forgotten', async () => {
  const smi = await fakeNvidiaSmi();
  const { sampler, until } = startSampler({ environment: smi.environment });
  const stopped = until(() => {
    sampler.stop();
    return true;
  });
  const tool = await smi.next();
  tool.print(`${H100}\n${MIG}\n`);
  await stopped;
  await tool.gone;
  expect(sampler.gpus()).toEqual([]);
  expect(sampler.state).toEqual({ kind: 'starting' });
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
  const host: ChildProcess = spawn(
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
