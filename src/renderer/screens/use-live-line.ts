import { useMemo } from 'react';
import type { LivePoint, StudyCard } from '../../shared/notebook.ts';
import type { SeriesLine } from '../charts/series-scale.ts';
import { useStore } from '../state/store.ts';
import { getClient } from '../state/sync.ts';
import { useCall } from '../ui/use-call.ts';
import { seriesLine } from './series-lines-of.ts';

const STEPS = ['step', 'iter', 'iteration', 'epoch'] as const;

type Axis = 'seconds' | 'step';

function xOf(point: LivePoint, by: Axis): number | null {
  if (by === 'seconds') return point.seconds;
  for (const name of STEPS) {
    const value = point.values[name];
    if (value !== undefined) return value;
  }
  return null;
}

export type LiveLine = {
  /** The live line, and the incumbent's behind it where there is one. */
  readonly lines: readonly SeriesLine[];
  readonly name: string | null;
  readonly newest: LivePoint | null;
  /** The incumbent's value at the step the live run has reached. */
  readonly incumbentNow: number | null;
};

/**
 * The main series of what trains now: what the ledger had when the window came to it, and the points that came since,
 * with the incumbent's curve at the same step or time.
 */
export function useLiveLine(card: StudyCard, by: Axis, width: number): LiveLine {
  const run = card.current?.run ?? null;
  const n = card.current?.n ?? -1;
  const live = useStore(state => state.live);
  const best = card.tally.bestExperiment;
  const study = card.id;
  const before = useCall(run ? JSON.stringify(['live', study, n, run.k, by, width]) : null, () =>
    getClient().experiments.series({ study, runs: [{ n, k: run?.k ?? 0 }], source: 'training', by, width }),
  );
  const incumbent = useCall(
    best !== null && best !== n ? JSON.stringify(['best', study, best, by, width]) : null,
    () => getClient().experiments.series({ study, runs: [{ n: best ?? 0 }], source: 'training', by, width }),
  );
  const points = live && live.study === study && live.n === n && live.k === run?.k ? live.points : null;
  return useMemo(() => {
    const old = before.value?.[0] ?? null;
    const behind = incumbent.value?.[0] ?? null;
    const name = old?.name ?? mainName(points ?? []) ?? behind?.name ?? null;
    const x = [...(old?.x ?? [])];
    const y = [...(old?.y ?? [])];
    const last = x.at(-1) ?? Number.NEGATIVE_INFINITY;
    for (const point of points ?? []) {
      const at = xOf(point, by);
      const value = name === null ? undefined : point.values[name];
      if (at === null || value === undefined || at <= last) continue;
      x.push(at);
      y.push(value);
    }
    const lines: SeriesLine[] = [];
    if (behind) lines.push(seriesLine(behind, `incumbent #${behind.n}`, 1, true));
    if (x.length > 0) lines.push({ key: 'live', label: `#${n}, live`, x, y, colour: 'var(--series-1)' });
    const reached = x.at(-1);
    return {
      lines,
      name,
      newest: points?.at(-1) ?? null,
      incumbentNow: behind && reached !== undefined ? valueAt(behind.x, behind.y, reached) : null,
    };
  }, [before.value, incumbent.value, points, by, n]);
}

function mainName(points: readonly LivePoint[]): string | null {
  const names = Object.keys(points.at(-1)?.values ?? {});
  return (
    names.find(name => /^(?:train_?)?loss$/i.test(name)) ?? names.find(name => /loss/i.test(name)) ?? null
  );
}

/** The last value at or before `at`. */
function valueAt(x: readonly number[], y: readonly (number | null)[], at: number): number | null {
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((x[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return x.length === 0 || (x[0] ?? 0) > at ? null : (y[low] ?? null);
}
