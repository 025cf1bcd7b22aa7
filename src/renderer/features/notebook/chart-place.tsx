import { clamp } from '../../../shared/numbers.ts';
import { useStore } from '../../app/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { useViewportHeight } from '../../ui/use-viewport-height.ts';

/** The chart takes this share of the window, so that a small one still has room for cells. */
const SHARE = 0.24;
/**
 * While a cell is open: the height that remains if the cell gets three fifths of the window, less the lines above and
 * below the chart.
 */
const SHARE_BESIDE_CELL = 0.4;
const OTHERS_PX = 216;
const LEAST_PX = 108;
const MOST_PX = 340;

export const PANEL = '@container relative border-line border-b bg-surface px-3';

/** The line of the chart's tools: on that of the chart's title, whose right side is free. */
export function toolLine(isHidden: boolean): string {
  return classNames(
    'flex h-8 items-center justify-end gap-3',
    !isHidden && '@4xl:absolute @4xl:top-0 @4xl:right-3 @4xl:z-[5]',
  );
}

/** In pixels, without the tools. */
export function useChartHeight(): number {
  const hasOpenCell = useStore(state => state.view.opened.length > 0);
  const viewport = useViewportHeight();
  const wanted = Math.min(viewport * SHARE, hasOpenCell ? viewport * SHARE_BESIDE_CELL - OTHERS_PX : MOST_PX);
  return Math.round(clamp(wanted, LEAST_PX, MOST_PX));
}

/** Keeps the chart's place while its code is loading: the cells below come first, and must not move. */
export function ChartPlace() {
  const isHidden = useStore(state => state.view.isChartHidden);
  const height = useChartHeight();
  return (
    <div className={PANEL}>
      <div className={toolLine(isHidden)} />
      {isHidden ? null : <div style={{ height }} />}
    </div>
  );
}
