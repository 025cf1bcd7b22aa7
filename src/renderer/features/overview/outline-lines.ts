import { ascending } from 'd3-array';
import { signOf } from '../../../shared/contract/contract.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { type StudyOutline, titleOf } from '../../../shared/overview.ts';
import { countTried } from '../../../shared/tried.ts';
import type { SeriesLine } from '../../charts/series-scale.ts';

/** A study with the overview's data. */
export type OverviewRow = {
  readonly card: StudyCard;
  readonly project: string;
  readonly outline: StudyOutline | null;
  /** Disk space of logs and worktree; null until known. */
  readonly bytes: number | null;
};

/**
 * How much better the best is than the baseline, as a share of it; negative is worse. Null if there is no meaningful
 * share.
 */
export function gainOf({ tally, contract }: StudyCard): number | null {
  const { baseline, best } = tally;
  if (baseline === null || best === null || baseline === 0) return null;
  const change = (best - baseline) / Math.abs(baseline);
  return -signOf(contract.metric.goal) * change;
}

const SORTS = {
  activity: ({ card }: OverviewRow) => -card.activeAt,
  name: ({ card }: OverviewRow) => titleOf(card).toLowerCase(),
  tried: ({ card }: OverviewRow) => -countTried(card.tally).tried,
  gain: ({ card }: OverviewRow) => -(gainOf(card) ?? Number.NEGATIVE_INFINITY),
  cost: ({ card }: OverviewRow) => -(card.spend?.costUsd ?? -1),
  disk: ({ bytes }: OverviewRow) => -(bytes ?? -1),
} as const;
export type Sort = keyof typeof SORTS;

/** In the new order; equal rows keep their order. */
export function sortRows(rows: readonly OverviewRow[], sort: Sort): readonly OverviewRow[] {
  const key = SORTS[sort];
  return rows.toSorted((one, other) => ascending(key(one), key(other)));
}

/** The best so far, sampled at `width` points, for a line without axes. */
export function sparklineOf({ best, last }: StudyOutline, width: number): readonly (number | null)[] {
  const end = Math.max(1, last ?? 1);
  return Array.from({ length: width }, (_, place) => {
    const n = (place / (width - 1)) * end;
    return best.findLast(([at]) => at <= n)?.[1] ?? null;
  });
}

/** Whether the studies' numbers can share one axis. */
export function isSameMetric(rows: readonly OverviewRow[]): boolean {
  const metrics = new Set(
    rows.map(({ card: { contract } }) => `${contract.metric.name} ${contract.metric.goal}`),
  );
  return metrics.size < 2;
}

const COLOURS = 8;

/**
 * The best so far of each study as steps over its experiments: in the metric's unit if they share it, else in percent
 * of each baseline.
 */
export function outlineLines(rows: readonly OverviewRow[]): readonly SeriesLine[] {
  const isSame = isSameMetric(rows);
  return rows.flatMap(({ card, outline }, place) => {
    const [first] = outline?.best ?? [];
    if (!outline || !first) return [];
    const base = first[1];
    const scaled = (value: number) => (isSame ? value : base === 0 ? null : (100 * value) / base);
    const x: number[] = [];
    const y: (number | null)[] = [];
    for (const [n, value] of outline.best) {
      const before = y.at(-1);
      if (before !== undefined) {
        x.push(n);
        y.push(before);
      }
      x.push(n);
      y.push(scaled(value));
    }
    // Half a step further, so that a best in the last experiment is not a line along the edge.
    x.push((outline.last ?? 0) + 0.5);
    y.push(y.at(-1) ?? null);
    return [{ key: card.id, label: titleOf(card), x, y, colour: `var(--series-${(place % COLOURS) + 1})` }];
  });
}
