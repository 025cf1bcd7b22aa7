import { LayoutList } from 'lucide-react';
import { useMemo, useState } from 'react';
import { goTo } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { SeriesChart } from '../../charts/series-chart.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Switch } from '../../ui/field.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { isSameMetric, type OverviewRow, outlineLines, type Sort, sortRows } from './outline-lines.ts';
import { type Asked, OverviewTable } from './overview-table.tsx';
import { RenameDialog } from './rename-dialog.tsx';

/** More lines in one drawing cannot be told apart. */
const MOST_COMPARED = 8;

/** All studies side by side: compare, rename, archive or delete them. */
export function OverviewScreen() {
  const studies = useStore(state => state.studies);
  const [sort, setSort] = useState<Sort>('activity');
  const [showsArchived, setShowsArchived] = useState(false);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [asked, setAsked] = useState<Asked | null>(null);
  const all = useRows();
  const rows = useMemo(
    () =>
      sortRows(
        all.filter(({ card }) => showsArchived || card.archivedAt === null),
        sort,
      ),
    [all, showsArchived, sort],
  );
  const archived = studies.filter(({ archivedAt }) => archivedAt !== null).length;
  const compared = rows.filter(({ card }) => chosen.includes(card.id));
  const askedCard = studies.find(({ id }) => id === asked?.study);
  if (studies.length === 0) {
    return (
      <EmptyState icon={<LayoutList size={28} />} title="No study yet">
        <p className="mb-3">Each study you start appears here, with its best result and its cost.</p>
        <Button onClick={() => goTo({ name: 'welcome' })}>Open a project</Button>
      </EmptyState>
    );
  }
  return (
    <section aria-label="All studies" className="h-full overflow-y-auto">
      <div className="flex flex-col gap-5 px-6 py-5">
        <header className="flex flex-wrap items-center gap-4">
          <h1 className="mr-auto font-semibold text-xl tracking-tight">All studies</h1>
          {archived > 0 ? (
            <Switch
              label={`Show archived (${archived})`}
              checked={showsArchived}
              onChange={setShowsArchived}
            />
          ) : null}
        </header>
        {compared.length > 0 ? <Comparison rows={compared} onClear={() => setChosen([])} /> : null}
        <OverviewTable
          rows={rows}
          sort={sort}
          onSort={setSort}
          chosen={chosen}
          canChooseMore={chosen.length < MOST_COMPARED}
          onChoose={(study, isChosen) =>
            setChosen(before => [...before.filter(id => id !== study), ...(isChosen ? [study] : [])])
          }
          onAsk={setAsked}
        />
        <p className="text-muted text-xs">
          Check studies to draw them in one chart, at most {MOST_COMPARED}.
        </p>
      </div>
      {askedCard && asked?.what === 'rename' ? (
        <RenameDialog card={askedCard} onClose={() => setAsked(null)} />
      ) : null}
      {askedCard && asked?.what === 'delete' ? (
        <DeleteDialog card={askedCard} onClose={() => setAsked(null)} />
      ) : null}
    </section>
  );
}

/** The cards of all studies with the overview's data, updated after keeps and when studies come or go. */
function useRows(): readonly OverviewRow[] {
  const studies = useStore(state => state.studies);
  const projects = useStore(state => state.projects);
  const kept = studies.map(({ id, tally }) => `${id} ${tally.keep} ${tally.best}`).join();
  const { value: outlines } = useCall(`outlines ${kept}`, () => getClient().studies.outlines(), 'outlines');
  const { value: sizes } = useCall(
    `disk ${studies.map(({ id }) => id).join()}`,
    () => getClient().studies.diskUse(),
    'disk',
  );
  return useMemo(
    () =>
      studies.map(card => ({
        card,
        project:
          projects.find(({ gitDir }) => gitDir === card.gitDir && card.importedFrom === null)?.name ??
          card.importedFrom ??
          card.repositoryPath.split('/').at(-1) ??
          '',
        outline: outlines?.find(({ study }) => study === card.id) ?? null,
        bytes: sizes?.find(({ study }) => study === card.id)?.bytes ?? null,
      })),
    [studies, projects, outlines, sizes],
  );
}

function Comparison({
  rows,
  onClear,
}: {
  readonly rows: readonly OverviewRow[];
  readonly onClear: () => void;
}) {
  const lines = useMemo(() => outlineLines(rows), [rows]);
  const isSame = isSameMetric(rows);
  const unit = isSame ? (rows[0]?.card.contract.metric.name ?? null) : '% of the baseline';
  return (
    <section aria-label="Compared" className="rounded-xl border border-line bg-surface px-4 py-3">
      <div className="mb-1 flex items-center gap-3">
        <h2 className="mr-auto font-medium text-sm">Best so far, {unit}</h2>
        <Button size="small" kind="quiet" onClick={onClear}>
          Clear
        </Button>
      </div>
      <SeriesChart
        lines={lines}
        xLabel="experiment"
        unit={unit}
        height={260}
        label="Best so far of the compared studies"
      />
    </section>
  );
}
