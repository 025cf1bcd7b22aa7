import type { GpuSample } from '../../shared/machines/telemetry.ts';

/**
 * The measures of every GPU: the name in `nvidia-smi --query-gpu`, and the field that takes the value. With `nounits`
 * the values are in percent, MiB, degrees Celsius, W and MHz. Source: `nvidia-smi --help-query-gpu`.
 */
const MEASURE_NAMES = {
  'utilization.gpu': 'utilizationPercent',
  'memory.used': 'memoryUsedMib',
  'memory.total': 'memoryTotalMib',
  'temperature.gpu': 'temperatureCelsius',
  'power.draw': 'powerWatts',
  'power.limit': 'powerLimitWatts',
  'clocks.sm': 'smClockMhz',
  'clocks.mem': 'memoryClockMhz',
  'fan.speed': 'fanPercent',
  'pcie.link.gen.current': 'pcieGeneration',
  'pcie.link.width.current': 'pcieLanes',
  // Newer drivers call it clocks_event_reasons but still accept this name.
  'clocks_throttle_reasons.active': 'throttleReasons',
  'mig.mode.current': 'migMode',
} as const satisfies Record<string, keyof GpuSample>;

/** Modes are reported as words. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ['Disabled', 0],
  ['Enabled', 1],
]);

/** A field that a driver may not support. */
export type GpuMeasure = keyof typeof MEASURE_NAMES;

/** Every measure, in the order of the query. */
export const GPU_MEASURES = Object.keys(MEASURE_NAMES) as readonly GpuMeasure[];

/** Every driver supports these; they come before the measures. */
const IDENTITY = ['index', 'uuid', 'name'];

/** Arguments that make `nvidia-smi` print a row per GPU and interval, until it is ended. */
export function gpuQueryArguments(measures: readonly GpuMeasure[], intervalMs: number): readonly string[] {
  return [
    `--query-gpu=${[...IDENTITY, ...measures].join(',')}`,
    '--format=csv,noheader,nounits',
    '-lms',
    String(intervalMs),
  ];
}

/**
 * One line of the output for {@link gpuQueryArguments} with the same measures; null for a line that is not a GPU. A
 * measure without a number, as `[N/A]` or `[Not Supported]`, is absent; an unknown name or UUID is empty.
 */
export function parseGpuRow(line: string, measures: readonly GpuMeasure[] = GPU_MEASURES): GpuSample | null {
  const columns = line.split(',').map(column => column.trim());
  // Nothing is quoted, so a comma in the name can only be found by counting from both ends.
  const end = columns.length - measures.length;
  const [index = '', uuid = ''] = columns;
  if (end < IDENTITY.length || !/^\d{1,4}$/.test(index)) return null;
  const values: { [Name in (typeof MEASURE_NAMES)[GpuMeasure]]?: number } = {};
  for (const [at, measure] of measures.entries()) {
    const text = columns[end + at] ?? '';
    const word = WORDS.get(text);
    if (word !== undefined) values[MEASURE_NAMES[measure]] = word;
    else if (/^(?:-?\d+(?:\.\d+)?|0x[0-9a-f]+)$/i.test(text)) values[MEASURE_NAMES[measure]] = Number(text);
  }
  const name = line.split(',').slice(2, end).join(',').trim();
  return { index: Number(index), uuid: known(uuid), name: known(name), ...values };
}

function known(text: string): string {
  return /^\[.*\]$/.test(text) || text === 'ERR!' || text === 'N/A' ? '' : text;
}

/** The measures that `nvidia-smi` does not know, from its message when it exits with code 2. */
export function findRejectedMeasures(text: string): readonly GpuMeasure[] {
  const fields = [...text.matchAll(/Field "([^"]+)" is not a valid field to query/g)].map(match => match[1]);
  return GPU_MEASURES.filter(measure => fields.includes(measure));
}
