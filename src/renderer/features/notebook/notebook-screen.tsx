import { useMemo } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { listedCells } from '../../app/listed-cells.ts';
import { isActive, useStore } from '../../app/store.ts';
import { lazyView } from '../../ui/lazy-view.tsx';
import { NOW_PLACE } from '../live/now-place.ts';
import { ChartPlace } from './chart-place.tsx';
import { FilterBar } from './filter-bar.tsx';
import { NotebookList } from './notebook-list.tsx';

const ChartPanel = lazyView(() => import('./chart-panel.tsx').then(file => file.ChartPanel), <ChartPlace />);
const NowPanel = lazyView(
  () => import('../live/now-panel.tsx').then(file => file.NowPanel),
  <div className={NOW_PLACE} />,
);

/** The chart, the filter and the cells; beside them the current run. */
export function NotebookScreen({ card }: { readonly card: StudyCard }) {
  const filter = useStore(state => state.view.filter);
  const found = useStore(state => state.found);
  const cells = useStore(listedCells);
  const isFiltered = filter.verdicts.length > 0 || filter.category !== null || found !== null;
  const listed = useMemo(() => (isFiltered ? new Set(cells.map(({ n }) => n)) : null), [isFiltered, cells]);
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <ChartPanel card={card} listed={listed} />
        <FilterBar card={card} shown={cells.length} />
        <NotebookList card={card} cells={cells} />
      </div>
      {isActive(card) ? <NowPanel card={card} /> : null}
    </div>
  );
}
