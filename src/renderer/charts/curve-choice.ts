import { MOST_SMOOTHING } from '../../shared/charts/smooth-series.ts';
import type { SeriesAxis } from './series-axis.ts';

const CURVE_PLACES = ['cell', 'live', 'compare'] as const;
export type CurvePlace = (typeof CURVE_PLACES)[number];

/** How the curves of a study's trainings are drawn. */
export type CurveChoice = {
  /** As `smoothSeries` takes it. */
  readonly smoothing: number;
  readonly isLogX: boolean;
  readonly isLogY: boolean;
  /** What the points are placed by, wherever curves are shown. */
  readonly by: Readonly<Record<CurvePlace, SeriesAxis>>;
};

export const FIRST_CURVES: CurveChoice = {
  ...{ smoothing: 0, isLogX: false, isLogY: false },
  by: { cell: 'training', live: 'step', compare: 'step' },
};

const AXES: readonly unknown[] = ['seconds', 'training', 'step', 'tokens'] satisfies SeriesAxis[];

/** Whether something that was kept is a choice that can be shown. */
export function isCurveChoice(value: unknown): value is CurveChoice {
  const { smoothing, isLogX, isLogY, by } = (value ?? {}) as {
    readonly [Key in keyof CurveChoice]?: unknown;
  };
  return (
    typeof smoothing === 'number' &&
    smoothing >= 0 &&
    smoothing <= MOST_SMOOTHING &&
    typeof isLogX === 'boolean' &&
    typeof isLogY === 'boolean' &&
    CURVE_PLACES.every(place => AXES.includes((by as CurveChoice['by'] | undefined)?.[place]))
  );
}
