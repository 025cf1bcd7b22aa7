import { expect, test } from 'vitest';
import { gpuEnergyWh } from '../src/engine/machine/energy.ts';
import { parseGpuProcess } from '../src/engine/machine/gpu-processes.ts';
import { findRejectedMeasures, parseGpuRow } from '../src/engine/machine/gpu-query.ts';
import { backoffMs } from '../src/engine/machine/smi-tool.ts';
import { THROTTLE, throttleWords } from '../src/shared/machines/telemetry.ts';
import { H100 } from './support/played-gpu-tool.ts';

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
