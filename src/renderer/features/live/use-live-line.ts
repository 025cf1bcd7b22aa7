import { bisectRight } from 'd3-array';
import { useEffect, useEffectEvent, useMemo } from 'react';
import { smoothSeries } from '../../../shared/charts/smooth-series.ts';
import { STEP_NAMES, type TokenCount, tokenCount } from '../../../shared/charts/token-count.ts';
import { TRAINING_LOSS } from '../../../shared/charts/training-loss.ts';
import type { LivePoint, SeriesView, StudyCard } from '../../../shared/notebook.ts';
import { thinSeries } from '../../../shared/thin-series.ts';
import type { Live } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { useLive } from '../../app/use-live.ts';
import { askedAxis, type SeriesAxis } from '../../charts/series-axis.ts';
import { placedBy, seriesLine } from '../../charts/series-lines-of.ts';
import type { SeriesLine } from '../../charts/series-scale.ts';

/**
 * @param from when its run took its first step, in seconds
 * @param tokens how the run counts tokens
 */
function xOf(point: LivePoint, by: SeriesAxis, from: number, tokens: TokenCount | null): number | null {
  if (by === 'tokens') return tokens?.(name => point.values[name] ?? undefined) ?? null;
  if (by === 'seconds') return point.seconds;
  if (by === 'training') return point.seconds - from;
  for (const name of STEP_NAMES) {
    const value = point.values[name];
    if (value !== undefined) return value;
  }
  return null;
}

/** Whether the current run reports how many tokens it has trained on. */
export function hasLiveTokens(live: readonly Live[]): boolean {
  return live.some(({ points }) => tokensOf(points.at(-1) ?? null) !== null);
}

function tokensOf(point: LivePoint | null): TokenCount | null {
  // The summary could report tokens too, but only at the end.
  return point && tokenCount(Object.keys(point.values), []);
}

export type LiveLine = {
  /** The live line, in front of the incumbent's if there is one. */
  readonly lines: readonly SeriesLine[];
  readonly name: string | null;
  readonly newest: LivePoint | null;
  /** The incumbent's value at the live run's present step. */
  readonly incumbentNow: number | null;
};

/**
 * The main series of the current run: the part that was in the ledger when the window opened, and the points since
 * then, with the incumbent's curve on the same axis.
 */
export function useLiveLine(card: StudyCard, by: SeriesAxis, width: number, smoothing = 0): LiveLine {
  const asked = askedAxis(by);
  const run = card.current?.run ?? null;
  const n = card.current?.n ?? -1;
  const best = card.tally.bestExperiment;
  const study = card.id;
  const live = useLive(study, n, run?.k ?? -1);
  const own = JSON.stringify(['live', study, n, run?.k, asked, smoothing]);
  const before = useCall(
    run ? `${own} ${width}` : null,
    () =>
      getClient().experiments.series({
        study,
        runs: [{ n, k: run?.k ?? 0 }],
        source: 'training',
        by: asked,
        ...{ width, smoothing },
      }),
    own,
  );
  const readAgain = useEffectEvent(before.again);
  const folds = live?.folds ?? 0;
  useEffect(() => {
    if (folds > 0) readAgain();
  }, [folds]);
  const bests = JSON.stringify(['best', study, best, asked, smoothing]);
  const incumbent = useCall(
    best !== null && best !== n ? `${bests} ${width}` : null,
    () =>
      getClient().experiments.series({
        study,
        runs: [{ n: best ?? 0 }],
        source: 'training',
        by: asked,
        ...{ width, smoothing },
      }),
    bests,
  );
  const points = live?.points ?? null;
  const newest = points?.at(-1) ?? null;
  const incumbentSeries = incumbent.value?.[0] ?? null;
  const behind = useMemo(() => incumbentSeries && placedBy(incumbentSeries, by), [incumbentSeries, by]);
  const behindLine = useMemo(() => behind && seriesLine(behind, `incumbent #${behind.n}`, 1, true), [behind]);
  const ownSeries = before.value?.[0] ?? null;
  const from = ownSeries?.firstStepAt ?? firstStepOf(points ?? []);
  const line = useMemo(() => {
    const old = ownSeries && placedBy(ownSeries, by);
    const name = old?.name ?? mainName(points ?? []) ?? behind?.name ?? null;
    const x = [...(old?.x ?? [])];
    const y = [...(old?.y ?? [])];
    const last = x.at(-1) ?? Number.NEGATIVE_INFINITY;
    const tokens = tokensOf(points?.at(-1) ?? null);
    for (const point of points ?? []) {
      const at = xOf(point, by, from, tokens);
      const value = name === null ? undefined : point.values[name];
      if (at === null || value === undefined || at <= last) continue;
      x.push(at);
      y.push(value);
    }
    const lines: SeriesLine[] = [];
    if (behindLine) lines.push(behindLine);
    if (x.length > 0) {
      const colour = 'var(--series-1)';
      const smooth = smoothing > 0 ? goOnSmoothing(old?.smooth ?? null, x, y, smoothing, width) : null;
      lines.push({ key: 'live', label: `#${n}, live`, ...thinSeries(x, y, width), smooth, colour });
    }
    return { lines, name };
  }, [ownSeries, behind, behindLine, points, by, from, n, width, smoothing]);
  const reached = newest && xOf(newest, by, from, tokensOf(newest));
  return {
    ...line,
    newest,
    incumbentNow: behind && reached !== null ? valueAt(behind.x, behind.y, reached) : null,
  };
}

/** Continues the moving average of the ledger's part over the live points. */
function goOnSmoothing(
  before: SeriesView['smooth'],
  x: readonly number[],
  y: readonly (number | null)[],
  smoothing: number,
  width: number,
) {
  const since = before ? bisectRight(x, before.x.at(-1) ?? Number.NEGATIVE_INFINITY) : 0;
  const later = smoothSeries(y.slice(since), smoothing, before?.state);
  return thinSeries([...(before?.x ?? []), ...x.slice(since)], [...(before?.y ?? []), ...later.y], width);
}

/** In seconds since the run began; 0 before the first step. */
function firstStepOf(points: readonly LivePoint[]): number {
  return points.find(({ values }) => STEP_NAMES.some(name => values[name] !== undefined))?.seconds ?? 0;
}

function mainName(points: readonly LivePoint[]): string | null {
  const names = Object.keys(points.at(-1)?.values ?? {});
  return names.find(name => TRAINING_LOSS.test(name)) ?? names.find(name => /loss/i.test(name)) ?? null;
}

/** The last value at or before `at`. */
function valueAt(x: readonly number[], y: readonly (number | null)[], at: number): number | null {
  return y[bisectRight(x, at) - 1] ?? null;
}
