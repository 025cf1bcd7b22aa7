import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { GPU_MEASURES, parseGpuRow } from '../src/engine/machine/gpu-query.ts';
import { GpuSampler, type GpuSamplerOptions } from '../src/engine/machine/gpu-sampler.ts';
import { readIdentity } from '../src/engine/process/process-table.ts';
import type { GpuState } from '../src/shared/machines/telemetry.ts';
import { type FakeTool, fakeNvidiaSmi, H100, LAPTOP, MIG, writeTool } from './support/played-gpu-tool.ts';
import { killIfThere } from './support/processes.ts';
import { temporaryFolder } from './support/scaffold.ts';

const isFailing = (sampler: GpuSampler) => sampler.state.kind === 'failing';
const isSampling = (sampler: GpuSampler) => sampler.state.kind === 'sampling';
const failing = (message: unknown) => ({ kind: 'failing', message });

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

/** {@link startSampler} over a tool that the test plays. */
async function playedSampler(options: Partial<GpuSamplerOptions> = {}) {
  const smi = await fakeNvidiaSmi();
  const started = startSampler({ environment: smi.environment, ...options });
  const { sampler, until } = started;
  return {
    ...started,
    smi,
    indices: () => sampler.gpus().map(gpu => gpu.index),
    /** Has the tool print text, and waits for the first update that makes this so. */
    async afterPrint(tool: FakeTool, text = `${H100}\n`, isSo = isSampling) {
      const updated = until(isSo);
      tool.print(text);
      await updated;
    },
    /** Has the tool print text and end, and resolves to the state of the sampler that has noticed. */
    afterEnd(tool: FakeTool, ...end: Parameters<FakeTool['end']>) {
      const failed = until(isFailing);
      tool.end(...end);
      return failed;
    },
  };
}

afterEach(() => void vi.useRealTimers());

test('processes that compute are told with their GPU, by a tool of its own, and forgotten when they are gone', async () => {
  let time = 1000;
  const { smi, sampler, until } = await playedSampler({ now: () => time, hasProcesses: true });
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

test('one process reports several GPUs, each with what its driver knows', async () => {
  const { smi, sampler, states, indices, afterPrint } = await playedSampler({ intervalMs: 1000 });
  expect(sampler.state).toEqual({ kind: 'starting' });
  const tool = await smi.next();
  expect(tool.args).toEqual([
    `--query-gpu=index,uuid,name,${GPU_MEASURES.join(',')}`,
    ...['--format=csv,noheader,nounits', '-lms', '1000'],
  ]);
  await afterPrint(tool, `${LAPTOP}\n${H100}\r\n\n${MIG}\n`, () => sampler.gpus().length === 3);
  expect(sampler.gpus()).toStrictEqual([H100, MIG, LAPTOP].map(line => parseGpuRow(line)));
  expect(sampler.gpus()[1]).not.toHaveProperty('utilizationPercent');

  const newer = `${H100.replace(' 97,', ' 12,')}\n`;
  await afterPrint(tool, newer, () => sampler.gpus()[0]?.utilizationPercent === 12);
  expect(indices()).toEqual([0, 1, 2]);
  expect(states).toEqual([{ kind: 'sampling' }]);
  expect(smi.count()).toBe(1);
});

test('a GPU that stopped reporting is left out after five seconds', async () => {
  let time = 1000;
  const { smi, sampler, indices, afterPrint } = await playedSampler({ now: () => time });
  const tool = await smi.next();
  await afterPrint(tool, `${H100}\n${MIG}\n`, () => sampler.gpus().length === 2);
  time += 4000;
  await afterPrint(tool, `${MIG}\n`, () => true);
  expect(indices()).toEqual([0, 1]);
  time += 1001;
  expect(indices()).toEqual([1]);
});

test('a field the driver rejects is dropped, and the sampling goes on at once', async () => {
  const { smi, sampler, waits, states, afterPrint } = await playedSampler();
  (await smi.next()).end('Field "clocks.mem" is not a valid field to query.\n\n', 2);
  const second = await smi.next();
  expect(second.args[0]).toMatch(/power\.limit,clocks\.sm,fan\.speed,/);
  second.end('Field "power.limit" is not a valid field to query.\n\n', 2);
  const third = await smi.next();
  expect(third.args[0]).toMatch(/power\.draw,clocks\.sm,fan\.speed,/);
  await afterPrint(third, '0, GPU-1, NVIDIA L4, 5, 10, 20, 30, 40.5, 1500, 25, 4, 8, 0x0, Disabled\n');
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
  const { smi, waits, afterEnd } = await playedSampler();
  const complaint = 'Field "uuid" is not a valid field to query.';
  expect(await afterEnd(await smi.next(), `${complaint}\n`, 2)).toEqual(failing(complaint));
  await smi.next();
  expect(waits).toEqual([1000]);
});

test('a tool that dies after two lines is started again, later each time', async () => {
  let time = 0;
  const exitListeners = process.listenerCount('exit');
  const { smi, sampler, waits, states, afterPrint, afterEnd } = await playedSampler({
    now: () => {
      time += 1;
      return time;
    },
    ...{ firstBackoffMs: 10, maxBackoffMs: 35, silenceMs: 60_000 },
  });
  for (let death = 0; death < 4; death += 1) {
    expect(await afterEnd(await smi.next(), `${H100}\n${MIG}\n`, 255)).toEqual(
      failing('nvidia-smi ended with 255 and said nothing.'),
    );
  }
  const last = await smi.next();
  expect(waits).toEqual([10, 20, 35, 35]);
  // At most, because the one of an earlier test’s dying tool may have been among them.
  expect(process.listenerCount('exit')).toBeLessThanOrEqual(exitListeners + 1);
  expect(sampler.gpus()).toHaveLength(2);

  await afterPrint(last);
  time += 35;
  await afterEnd(last, '', 1);
  await smi.next();
  expect(waits.at(-1)).toBe(10);
  expect(states.map(state => state.kind)).toEqual(
    Array.from({ length: 5 }, () => ['sampling', 'failing']).flat(),
  );
});

/** Of the timers only; what the processes do takes the time that it takes. */
const stopClock = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

test('a tool that hangs is killed after ten seconds and started again', async () => {
  stopClock();
  const { smi, sampler, waits, states, until, afterPrint } = await playedSampler();
  const tool = await smi.next();
  for (const _ of [1, 2]) {
    await afterPrint(tool);
    vi.advanceTimersByTime(9999);
    expect(sampler.state.kind).toBe('sampling');
  }
  // Said while it still lives: one that hangs inside the driver cannot be killed for as long as it does.
  const alive: boolean[] = [];
  const failed = until(() => {
    alive.push(readIdentity(tool.pid) !== null);
    return true;
  });
  vi.advanceTimersByTime(1);
  expect(await failed).toEqual(failing('nvidia-smi has printed nothing for 10 s.'));
  expect(alive).toEqual([true]);
  await tool.gone;
  await afterPrint(await smi.next());
  expect(waits).toEqual([1000]);
  expect(states.map(state => state.kind)).toEqual(['sampling', 'failing', 'sampling']);
});

test('a dead tool’s silence is not held against the next one', async () => {
  stopClock();
  const { smi, sampler, afterPrint, afterEnd } = await playedSampler();
  await afterEnd(await smi.next(), `${H100}\n`, 1);
  const tool = await smi.next();
  vi.advanceTimersByTime(5000);
  await afterPrint(tool);
  vi.advanceTimersByTime(9999);
  expect(sampler.state.kind).toBe('sampling');
});

test('a tool that never answers is killed, later each time', async () => {
  stopClock();
  const { smi, states, until } = await playedSampler();
  for (const seconds of [10, 20, 40, 60, 60]) {
    const tool = await smi.next();
    const failed = until(isFailing);
    const before = states.length;
    vi.advanceTimersByTime(seconds * 1000 - 1);
    expect(states.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(await failed).toEqual(failing(`nvidia-smi has printed nothing for ${seconds} s.`));
    await tool.gone;
  }
});

test('a tool that only complains is killed with its complaint for a message', async () => {
  stopClock();
  const { smi, until, afterPrint } = await playedSampler();
  const tool = await smi.next();
  await afterPrint(tool, `${H100}\nGPU is lost\n`);
  const failed = until(isFailing);
  vi.advanceTimersByTime(10_000);
  expect(await failed).toEqual(failing('GPU is lost'));
  await tool.gone;
});

test('a dead tool’s descendant that holds its output open delays nothing for long', async () => {
  const folder = await temporaryFolder();
  await writeTool(folder, `#!/bin/sh\n/bin/sleep 100 &\necho $! >> '${folder}/pids'\necho broken\nexit 3\n`);
  onTestFinished(async () => {
    for (const pid of (await readFile(join(folder, 'pids'), 'utf8')).trim().split('\n'))
      killIfThere(Number(pid));
  });
  const { until } = startSampler({ environment: { PATH: folder }, wait: () => new Promise(() => {}) });
  expect(await until(isFailing)).toEqual(failing('broken'));
});

test('what the tool says when it cannot reach the driver is the message', async () => {
  const { smi, sampler, waits, afterPrint, afterEnd } = await playedSampler();
  const mismatch = [
    'Failed to initialize NVML: Driver/library version mismatch',
    'NVML library version: 550.54',
  ];
  const said = await afterEnd(await smi.next(), `${mismatch.join('\n')}\n`, 18);
  expect(said).toEqual(failing(mismatch.join(' ')));
  expect(sampler.gpus()).toEqual([]);
  const complaint = 'nvidia-smi: error while loading shared libraries';
  expect(await afterEnd(await smi.next(), complaint, 127, 'stderr')).toEqual(failing(complaint));
  // The driver was mended.
  await afterPrint(await smi.next());
  expect(waits).toEqual([1000, 2000]);
});

test('a lost GPU’s complaints leave the others’ rows alone', async () => {
  const { smi, sampler, states, indices, afterPrint, afterEnd } = await playedSampler();
  const tool = await smi.next();
  const complaint = 'Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.';
  await afterPrint(tool, `${H100}\n${complaint}\n${LAPTOP}\n`, () => sampler.gpus().length === 2);
  expect(indices()).toEqual([0, 2]);
  expect(states).toEqual([{ kind: 'sampling' }]);
  // A complaint that a row has followed did not kill it.
  expect(await afterEnd(tool, '', 1)).toEqual(failing('nvidia-smi ended with 1 and said nothing.'));
});

test('endless garbage is cut', async () => {
  const { smi, afterEnd } = await playedSampler();
  const garbage = `${'x'.repeat(2_000_000)}\n${'y'.repeat(2_000_000)}\n`;
  expect(await afterEnd(await smi.next(), garbage, 1)).toEqual(failing('x'.repeat(1000)));
});

test('half a row at the end is not taken for a whole one', async () => {
  const { smi, indices, afterEnd } = await playedSampler();
  await afterEnd(await smi.next(), `${MIG}\n${H100.slice(0, -2)}`, 1);
  expect(indices()).toEqual([1]);
});

test('a tool that cannot be started is tried again', async () => {
  const folder = await temporaryFolder();
  await writeTool(folder, '#!/nonexistent/interpreter\n');
  const { waits, until } = startSampler({ environment: { PATH: folder } });
  expect(await until(isFailing)).toEqual(
    failing(expect.stringMatching(/^nvidia-smi could not be started: .*ENOENT/)),
  );
  await until(() => waits.length === 3);
  expect(waits.slice(0, 3)).toEqual([1000, 2000, 4000]);
});

test('a missing tool is looked for again at a new start', async () => {
  const environment = { PATH: await temporaryFolder() };
  const { smi, sampler, waits, until, afterPrint } = await playedSampler({ environment });
  expect(await until(() => true)).toEqual({ kind: 'none' });
  expect(waits).toEqual([]);
  sampler.stop();
  environment.PATH = smi.environment.PATH;
  sampler.start();
  await afterPrint(await smi.next());
});

test('stop kills the tool and forgets its rows, and start begins anew', async () => {
  const { smi, sampler, waits, afterPrint } = await playedSampler();
  for (const _ of [1, 2]) {
    const tool = await smi.next();
    await afterPrint(tool);
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
  const { smi, sampler, afterPrint } = await playedSampler();
  const tool = await smi.next();
  await afterPrint(tool, `${H100}\n${MIG}\n`, () => {
    sampler.stop();
    return true;
  });
  await tool.gone;
  expect(sampler.gpus()).toEqual([]);
  expect(sampler.state).toEqual({ kind: 'starting' });
});
