import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { fromScalar, toScalar } from '../../shared/scalar.ts';
import type { SeriesPoint } from '../metrics/output-reader.ts';
import { takeTurns } from '../small-files.ts';

/**
 * A chunk of a run's series: columns of JSON, deflated. `seconds` has one value a point; a series that a point
 * lacks has null there. Numbers keep every digit; NaN and infinities stand as words.
 */
type Columns = Record<string, (number | string | null)[]>;

const TIME = 'seconds';

export function packPoints(points: readonly SeriesPoint[]): Buffer {
  const seconds: number[] = [];
  // Names are whatever the training printed, `constructor` and `__proto__` among them.
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

/** All points of a run's chunks, without holding anything up for long. */
export async function unpackInTurns(chunks: readonly Buffer[]): Promise<readonly SeriesPoint[]> {
  const points: SeriesPoint[] = [];
  const passTurn = takeTurns();
  for (const chunk of chunks) {
    for (const point of unpackPoints(chunk)) points.push(point);
    await passTurn();
  }
  return points;
}

/** Names of the series in these points, in the order they first came. */
export function namesIn(points: readonly SeriesPoint[]): readonly string[] {
  const names = new Set<string>();
  for (const point of points) for (const name of point.values.keys()) names.add(name);
  return [...names];
}
