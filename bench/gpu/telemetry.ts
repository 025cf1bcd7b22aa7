import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Telemetry } from '../../src/engine/machine/telemetry.ts';
import { listTree } from '../../src/engine/process/process-table.ts';
import type { GpuSample, TelemetrySample } from '../../src/shared/machines/telemetry.ts';
import type { Context } from './context.ts';
import { type Reading, readGpus } from './machine.ts';
import { type Row, rowsOf } from './row.ts';

/** Limit until the tools have given their first rows. */
const START_MS = 15_000;
const READINGS = 5;
/** A reading lies between two of Pawl's samples, which are at most this far away. */
const AROUND_MS = 3_000;
/** Relative to one sample a second. */
const RATE_TOLERANCE = 0.15;

/**
 * Readings that change from second to second, and how far one may lie outside the range of Pawl's samples around it:
 * `least` in the unit, or `share` of the reading, whichever is more.
 */
const MOVING = [
  { name: 'memory used', key: 'memoryUsedMib', unit: 'MiB', least: 64, share: 0.02 },
  { name: 'power', key: 'powerWatts', unit: 'W', least: 15, share: 0.15 },
  { name: 'temperature', key: 'temperatureCelsius', unit: '°C', least: 2, share: 0 },
  { name: 'SM clock', key: 'smClockMhz', unit: 'MHz', least: 60, share: 0.05 },
  { name: 'memory clock', key: 'memoryClockMhz', unit: 'MHz', least: 60, share: 0.05 },
] as const satisfies readonly { key: keyof Reading & keyof GpuSample; [more: string]: unknown }[];

const { judged, skipped } = rowsOf('telemetry');

/** Compares Pawl's samples, their rate and the processes they cost with `nvidia-smi` itself. */
export async function checkTelemetry(context: Context): Promise<readonly Row[]> {
  const { gpus } = context.machine;
  if (!gpus.isThere) return [skipped('samples beside nvidia-smi', gpus.why)];
  const { smi } = gpus.it;
  const watched = await watch(context, smi);
  if (watched.samples.every(sample => sample.gpus.length === 0)) {
    const { gpuState } = watched;
    const said = gpuState.kind === 'failing' ? `: ${gpuState.message}` : '';
    return [judged('samples beside nvidia-smi', `none, ${gpuState.kind}${said}`, 'samples of a GPU', false)];
  }
  return [
    ...watched.first.flatMap(reading => compareGpu(reading, watched)),
    compareRate(watched),
    ...compareProcesses(watched),
  ];
}

type Watched = {
  /** The first of the readings, one for each GPU. */
  readonly first: readonly Reading[];
  readonly readings: readonly Reading[];
  readonly samples: readonly TelemetrySample[];
  /** The number of rows from the tool, for all GPUs. */
  readonly rows: number;
  readonly seconds: number;
  readonly gpuState: Telemetry['gpuState'];
  /** Arguments of each start of `nvidia-smi` by Pawl. */
  readonly starts: readonly string[];
  /** How many of those still ran at the end. */
  readonly alive: number;
};

async function watch(
  { machine, folder, watchSeconds, signal, tell }: Context,
  smi: string,
): Promise<Watched> {
  tell(`telemetry: ${watchSeconds} s beside nvidia-smi`);
  const { environment } = machine;
  const counter = await countStarts(folder, smi, environment);
  let rows = 0;
  const onUpdate = () => {
    if (telemetry.gpuState.kind === 'sampling') rows += 1;
  };
  const telemetry = new Telemetry({ environment: counter.environment, gpu: { onUpdate } });
  const samples: TelemetrySample[] = [];
  telemetry.onSample(sample => samples.push(sample));
  telemetry.start();
  try {
    await telemetry.knownGpus(START_MS);
    samples.length = 0;
    rows = 0;
    const began = performance.now();
    const readings: (readonly Reading[])[] = [];
    for (let reading = 1; reading <= READINGS; reading += 1) {
      const at = (reading / (READINGS + 1)) * watchSeconds * 1000;
      await delay(Math.max(0, began + at - performance.now()), undefined, { signal });
      readings.push(await readGpus(smi, environment));
    }
    await delay(Math.max(0, began + watchSeconds * 1000 - performance.now()), undefined, { signal });
    const seconds = (performance.now() - began) / 1000;
    const { gpuState } = telemetry;
    const own = new Set((await listTree(process.pid)).map(({ pid }) => pid));
    const starts = await counter.starts();
    const alive = starts.filter(({ pid }) => own.has(pid)).length;
    return {
      ...{ first: readings[0] ?? [], readings: readings.flat(), samples: [...samples], rows, seconds },
      ...{ gpuState, starts: starts.map(({ args }) => args), alive },
    };
  } finally {
    telemetry.stop();
  }
}

/** A PATH whose `nvidia-smi` records each start and then becomes the real one. */
async function countStarts(folder: string, smi: string, environment: NodeJS.ProcessEnv) {
  const programs = join(folder, 'counting');
  const list = join(programs, 'starts');
  await mkdir(programs);
  await writeFile(list, '');
  const script = `#!/bin/sh\necho "$$ $*" >> '${list}'\nexec '${smi}' "$@"\n`;
  await writeFile(join(programs, 'nvidia-smi'), script);
  await chmod(join(programs, 'nvidia-smi'), 0o755);
  return {
    environment: { ...environment, PATH: `${programs}:${environment.PATH ?? ''}` },
    async starts() {
      const lines = (await readFile(list, 'utf8')).split('\n').filter(Boolean);
      return lines.map(line => {
        const [pid, ...args] = line.split(' ');
        return { pid: Number(pid), args: args.join(' ') };
      });
    },
  };
}

function compareGpu(first: Reading, watched: Watched): readonly Row[] {
  const own = watched.samples.map(({ at, gpus }) => ({
    at,
    gpu: gpus.find(({ index }) => index === first.index),
  }));
  const newest = own.at(-1)?.gpu;
  const of = `GPU ${first.index}`;
  const same = (what: string, told: string | number | null, sampled: string | number | undefined) =>
    judged(
      `${of}: ${what}`,
      String(sampled ?? 'absent'),
      String(told ?? 'absent'),
      told === (sampled ?? null),
    );
  return [
    same('name', first.name, newest?.name),
    same('UUID', first.uuid, newest?.uuid),
    same('memory in all, MiB', first.memoryTotalMib, newest?.memoryTotalMib),
    ...MOVING.map(measure => compareMoving(of, measure, readingsOf(first.index, watched), own)),
  ];
}

function readingsOf(index: number, { readings }: Watched): readonly Reading[] {
  return readings.filter(reading => reading.index === index);
}

function compareMoving(
  of: string,
  { name, key, unit, least, share }: (typeof MOVING)[number],
  readings: readonly Reading[],
  own: readonly { readonly at: number; readonly gpu: GpuSample | undefined }[],
): Row {
  const what = `${of}: ${name}`;
  const bound = share === 0 ? `${least} ${unit}` : `${least} ${unit} or ${share * 100} %`;
  const expected = `nvidia-smi's readings within ${bound} of Pawl's samples around them`;
  const compared = readings.map(reading => {
    const around = own.filter(({ at }) => Math.abs(at - reading.at) <= AROUND_MS);
    const sampled = around.flatMap(({ gpu }) => gpu?.[key] ?? []);
    return { told: reading[key], sampled };
  });
  if (compared.every(({ told, sampled }) => told === null && sampled.length === 0)) {
    return skipped(what, 'the driver does not tell');
  }
  const off = compared.map(({ told, sampled }) => {
    if (told === null || sampled.length === 0) return Number.POSITIVE_INFINITY;
    const outside = Math.max(Math.min(...sampled) - told, told - Math.max(...sampled), 0);
    return outside / Math.max(least, Math.abs(told) * share);
  });
  const worst = compared[off.indexOf(Math.max(...off))] ?? compared[0];
  const sampled = worst?.sampled ?? [];
  const span = sampled.length === 0 ? 'none' : `${Math.min(...sampled)} to ${Math.max(...sampled)}`;
  const held = off.filter(share => share <= 1).length;
  const measured = `${held} of ${off.length}; the farthest: ${worst?.told ?? 'none'} ${unit}, Pawl ${span}`;
  return judged(what, measured, expected, held === off.length);
}

function compareRate({ samples, rows, seconds, first }: Watched): Row {
  const rate = samples.filter(({ gpus }) => gpus.length > 0).length / seconds;
  const rowRate = rows / seconds / first.length;
  const isNearOne = (value: number) => Math.abs(value - 1) <= Math.max(RATE_TOLERANCE, 1.5 / seconds);
  return judged(
    'samples a second',
    `${rate.toFixed(2)} with a GPU in them, from ${rowRate.toFixed(2)} rows a GPU`,
    `1 and 1, within ${RATE_TOLERANCE * 100} % or one sample and a half`,
    isNearOne(rate) && isNearOne(rowRate),
  );
}

/** Pawl asks again without a field that the driver does not know, so the check is that no question is repeated. */
function compareProcesses({ starts, alive, samples }: Watched): readonly Row[] {
  const kinds = new Set(starts).size;
  return [
    judged('long-lived tools', `${alive} at the end`, '2: one tells of GPUs, one of processes', alive === 2),
    judged(
      'starts of nvidia-smi',
      `${starts.length} for ${samples.length} samples, with ${kinds} different questions`,
      'one a question, none a sample',
      starts.length === kinds && kinds >= 2,
    ),
  ];
}
