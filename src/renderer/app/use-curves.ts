import type { CurveChoice, CurvePlace } from '../charts/curve-choice.ts';
import type { SeriesAxis } from '../charts/series-axis.ts';
import { setCurves } from './actions.ts';
import { useStore } from './store.ts';

/** How curves are drawn in one part of the window, and how to change that; for `CurveTools` and the chart. */
export function useCurves(place: CurvePlace, hasTokens: boolean) {
  const choice = useStore(state => state.view.curves);
  const wanted = choice.by[place];
  // A choice made for another run is kept, and applies again to the next run that reports tokens.
  const by: SeriesAxis = wanted === 'tokens' && !hasTokens ? 'step' : wanted;
  return {
    by,
    smoothing: choice.smoothing,
    scales: { isLogX: choice.isLogX, isLogY: choice.isLogY },
    tools: {
      ...{ choice, by, hasTokens },
      onBy: (next: SeriesAxis) => setCurves({ by: { ...choice.by, [place]: next } }),
      onChoice: (patch: Partial<CurveChoice>) => setCurves(patch),
    },
  };
}
