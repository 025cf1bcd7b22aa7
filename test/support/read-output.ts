import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutputReader, type SeriesPoint } from '../../src/engine/metrics/output-reader.ts';
import type { Contract } from '../../src/shared/contract/contract.ts';
import { DEFAULT_METRIC } from '../../src/shared/contract/contract-defaults.ts';

/** What programs print, in the forms their libraries give it: each file is one of them. */
const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'output');

/** What Pawl reads from an output. */
export function readOutput(
  text: string,
  metric: Partial<Contract['metric']> & { readonly name: string },
  units: Readonly<Record<string, string>> = {},
  source: Contract['source'] = 'pawl.toml',
) {
  const points: SeriesPoint[] = [];
  const settings = { metric: { ...DEFAULT_METRIC, goal: 'minimize', ...metric }, units, source } as const;
  const reader = new OutputReader(
    point => points.push(point),
    () => 1,
    settings,
  );
  reader.push(Buffer.from(text));
  reader.end();
  const message = reader.classify({ kind: 'exit', code: 0 }, metric.name, 60)?.message ?? null;
  const series = (name: string) => points.flatMap(({ values }) => values.get(name) ?? []);
  return { reader, message, points, series, value: reader.summary()?.[metric.name] ?? null };
}

export const printedBy = (name: string) => readFileSync(join(FOLDER, `${name}.txt`), 'utf8');
