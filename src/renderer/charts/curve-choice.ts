import { MOST_SMOOTHING } from '../../shared/charts/smooth-series.ts';
import type { SeriesAxis } from './series-axis.ts';

const CURVE_PLACES = ['cell', 'live', 'compare'] as const;
export type CurvePlace = (typeof CURVE_PLACES)[number];

/** How a study's training curves are drawn. */
export type CurveChoice = {
  /** As in `smoothSeries`. */
  readonly smoothing: number;
  readonly isLogX: boolean;
  readonly isLogY: boolean;
  /** The x axis for each place that shows curves. */
  readonly by: Readonly<Record<CurvePlace, SeriesAxis>>;
};

export const FIRST_CURVES: CurveChoice = {
  ...{ smoothing: 0, isLogX: false, isLogY: false },
  by: { cell: 'training', live: 'step', compare: 'step' },
};

const AXES: readonly unknown[] = ['seconds', 'training', 'step', 'tokens'] satisfies SeriesAxis[];

/** Whether a stored value is a valid choice. */
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
