import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { fromScalar, toScalar } from '../../shared/scalar.ts';
import type { SeriesPoint } from '../metrics/output-reader.ts';
import { takeTurns } from '../small-files.ts';

/**
 * A chunk of a run's series: columns as compressed JSON. `seconds` has one value per point; a series that lacks a
 * point has null there. Numbers keep every digit; NaN and infinities are words.
 */
type Columns = Record<string, (number | string | null)[]>;

const TIME = 'seconds';

export function packPoints(points: readonly SeriesPoint[]): Buffer {
  const seconds: number[] = [];
  // A map, because a training may print any name, even `constructor` and `__proto__`.
  const columns = new Map<string, (number | string | null)[]>();
  for (const [index, point] of points.entries()) {
    seconds.push(Math.round(point.seconds * 1000) / 1000);
    for (const [name, value] of point.values) {
      const key = name === TIME ? `${TIME} ` : name;
      const column = columns.get(key) ?? new Array(index).fill(null);
      columns.set(key, column);
      column.push(toScalar(value));
    }
    for (const column of columns.values()) if (column.length <= index) column.push(null);
  }
  return deflateRawSync(JSON.stringify(Object.fromEntries([[TIME, seconds], ...columns])));
}

export function unpackPoints(data: Buffer): readonly SeriesPoint[] {
  const columns = JSON.parse(inflateRawSync(data).toString('utf8')) as Columns;
  const { [TIME]: seconds = [], ...series } = columns;
  return seconds.map((second, index) => ({
    seconds: Number(second),
    values: new Map(
      Object.entries(series).flatMap(([name, column]) => {
        const value = column[index];
        if (value === null || value === undefined) return [];
        return [[name.trimEnd(), fromScalar(value as Parameters<typeof fromScalar>[0])] as const];
      }),
    ),
  }));
}

/** Unpacks all points of a run's chunks without blocking for long. */
export async function unpackInTurns(chunks: readonly Buffer[]): Promise<readonly SeriesPoint[]> {
  const points: SeriesPoint[] = [];
  const passTurn = takeTurns();
  for (const chunk of chunks) {
    for (const point of unpackPoints(chunk)) points.push(point);
    await passTurn();
  }
  return points;
}

/** Names of the series in these points, in order of first appearance. */
export function namesIn(points: readonly SeriesPoint[]): readonly string[] {
  const names = new Set<string>();
  for (const point of points) for (const name of point.values.keys()) names.add(name);
  return [...names];
}
