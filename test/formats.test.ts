import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationText, metricText } from '../src/cli/format.ts';
import {
  formatBytes,
  formatDelta,
  formatDuration,
  formatElectricity,
  formatEnergy,
  formatMetric,
  formatNumber,
  formatUsd,
} from '../src/shared/numbers.ts';
import { timeWords } from '../src/shared/verdicts/describe-metric-check.ts';

/** Numbers, times and sizes as texts, and what these texts say when they are read back. */

const UNITS: Readonly<Record<string, number>> = {
  ...{ s: 1, min: 60, h: 3_600, Wh: 1, kWh: 1_000 },
  ...{ B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 },
};

/** The number that a text says: `4 min 05 s` is 245, `$0.10` is 0.1. */
function read(text: string): number {
  const plain = text.replaceAll(',', '').replace('−', '-').replace(/[+$€]/, '');
  const parts = [...plain.matchAll(/(-?[\d.]+(?:e[-+−]?\d+)?)(?: (\p{L}+))?/gu)];
  return parts.reduce((sum, [, number, unit]) => {
    return sum + Number(number?.replace('−', '-')) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN));
  }, 0);
}

/** The seconds that a clock shows: `5:03`, `8:01:15`. */
function readClock(text: string): number {
  return text.endsWith('s') ? read(text) : text.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
}

type Format = {
  readonly name: string;
  readonly write: (value: number) => string;
  readonly read?: (text: string) => number;
  /** The least that it tells from nothing. */
  readonly least?: number;
};

const electricity = (wh: number) => formatElectricity(wh, { price: 1_000, currency: '€' }) ?? '';

const FORMATS: readonly Format[] = [
  { name: 'formatDuration', write: formatDuration },
  { name: 'durationText', write: durationText, read: readClock },
  { name: 'timeWords', write: timeWords },
  { name: 'formatBytes', write: formatBytes },
  { name: 'formatEnergy', write: formatEnergy },
  { name: 'formatUsd', write: formatUsd },
  { name: 'formatElectricity', write: electricity },
  { name: 'formatNumber', write: value => formatNumber(value) },
  { name: 'formatNumber to 3 digits', write: value => formatNumber(value, 3) },
  { name: 'formatMetric', write: formatMetric },
  { name: 'formatDelta', write: formatDelta, least: 1e-6 },
  { name: 'metricText', write: metricText },
];

/** A value that is this share of a border, at which a format may change its unit or its decimals. */
const nearBorder = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(10, 60, 90, 120, 600, 3_600, 5_400, 86_400),
      fc.integer({ min: -6, max: 12 }).map(power => 10 ** power),
      fc
        .integer({ min: 1, max: 4 })
        .chain(power => fc.constantFrom(1, 10, 100).map(times => times * 1024 ** power)),
    ),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 10 }),
  )
  .map(([border, digit, power]) => border * (1 - digit / 10 ** power));

test.each(FORMATS)('$name says the same of a number and of what its text says', format => {
  const check = (value: number) => {
    fc.pre(value >= (format.least ?? 0));
    const text = format.write(value);
    expect(format.write((format.read ?? read)(text)), `${value} as ${text}`).toBe(text);
  };
  for (const value of [59.6, 999.96, 1023.99 * 1024, 3_599.7, 89.96, 99.96, 9.96, 0.09999, 99.99999996])
    check(value);
  fc.assert(fc.property(nearBorder, check), { numRuns: 2_000 });
});

test('a small number that is not 0 is never shown as 0', () => {
  expect([3e-6, 4.2e-7, -3e-6].map(value => formatNumber(value))).toEqual([
    '3.000e−6',
    '4.200e−7',
    '−3.000e−6',
  ]);
  expect([4.2e-4, 3e-6, 4.24e-7].map(formatUsd)).toEqual(['$0.00042', '$0.0000030', '$0.00000042']);
});
