import { Columns3, Copy, Download, FilterX, Table2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatNumber } from '../../../shared/numbers.ts';
import { attempt, setTabled } from '../../app/actions.ts';
import { isActive, useStore } from '../../app/store.ts';
import { readNotebook } from '../../app/sync.ts';
import { download } from '../../charts/progress-export.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { Select } from '../../ui/select.tsx';
import { useLasting } from '../../ui/use-lasting.ts';
import { ColumnsDialog } from './columns-dialog.tsx';
import { FilterInput } from './filter-input.tsx';
import { TableGrid } from './table-grid.tsx';
import { tableCsv, tableTsv } from './table-text.ts';
import { type Table, useTable } from './use-table.ts';

/** Columns by which rows may be grouped. */
const GROUPS = ['verdict', 'category', 'proposer', 'sitting'];

/** All experiments of a study as a table. */
export function TableScreen({ card }: { readonly card: StudyCard }) {
  const table = useTable(card);
  const { listed } = table;
  useEffect(() => setTabled(listed.map(({ cell }) => cell.n)), [listed]);
  return (
    <section
      aria-label="Table of experiments"
      aria-busy={table.missing > 0}
      className="flex min-h-0 flex-1 flex-col"
    >
      <TableTools card={card} table={table} />
      <TableBody card={card} table={table} />
    </section>
  );
}

function TableBody({ card, table }: { readonly card: StudyCard; readonly table: Table }) {
  const status = useStore(state => state.notebook?.status);
  const problem = useStore(state => state.notebook?.problem);
  if (status === 'failed') {
    return (
      <EmptyState title="The experiments could not be read">
        <p className="mb-3">{problem}</p>
        <Button onClick={() => void readNotebook(card.id)}>Read again</Button>
      </EmptyState>
    );
  }
  if (table.items.length > 0) return <TableGrid card={card} table={table} />;
  if (table.rows.length > 0) {
    return (
      <EmptyState icon={<FilterX size={28} />} title="Nothing matches the filter">
        <Button onClick={() => table.setLayout({ filter: '' })}>Show all experiments</Button>
      </EmptyState>
    );
  }
  if (table.isLoading) return <Loading>Reading the experiments …</Loading>;
  return (
    <EmptyState icon={<Table2 size={28} />} title="No experiment yet">
      {isActive(card)
        ? 'The baseline comes first: the code as it is, so that there is something to beat.'
        : 'Resume the study, and its first experiment is the baseline.'}
    </EmptyState>
  );
}

function TableTools({ card, table }: { readonly card: StudyCard; readonly table: Table }) {
  const { layout, setLayout, columns, shown, rows, listed, missing } = table;
  const [isChoosing, setChoosing] = useState(false);
  const isSlow = useLasting(missing > 0);
  const groups = columns.filter(({ id, kind }) => GROUPS.includes(id) || kind === 'constant');
  const save = () => {
    const blob = new Blob([tableCsv(listed, shown)], { type: 'text/csv;charset=utf-8' });
    download(`${card.tag}-table.csv`, blob);
  };
  const copy = () =>
    attempt(
      () => navigator.clipboard.writeText(tableTsv(listed, shown)),
      `${listed.length === 1 ? 'One row is' : `${listed.length} rows are`} on the clipboard.`,
    );
  return (
    <div
      className="@container flex items-center gap-1.5 border-line border-b px-4 py-1"
      role="search"
      aria-label="Table"
    >
      <FilterInput
        text={layout.filter}
        onChange={filter => setLayout({ filter })}
        columns={columns}
        rows={rows}
        problem={table.problem}
      />
      <span className="tabular whitespace-nowrap px-1 text-muted text-xs" aria-live="polite">
        {formatNumber(listed.length)} of {formatNumber(card.cells)}
        {isSlow ? (
          <span className="@max-3xl:hidden"> · reading the values of {formatNumber(missing)}</span>
        ) : null}
      </span>
      <Select
        aria-label="Group by"
        value={layout.group ?? ''}
        options={[
          { value: '', label: 'No groups' },
          ...groups.map(({ id, label }) => ({
            value: id,
            label: `By ${label.toLowerCase() === id ? id : label}`,
          })),
        ]}
        onChange={group => setLayout({ group: group || null })}
        className="h-8 max-w-40 px-2 text-sm"
      />
      <Button onClick={() => setChoosing(true)}>
        <Columns3 size={15} aria-hidden /> <span className="@max-3xl:sr-only">Columns</span>
      </Button>
      <Button
        onClick={() => void copy()}
        disabled={listed.length === 0}
        title="Copy what is shown, for a spreadsheet"
      >
        <Copy size={15} aria-hidden /> <span className="@max-3xl:sr-only">Copy</span>
      </Button>
      <Button onClick={save} disabled={listed.length === 0} title="Save what is shown as a CSV file">
        <Download size={15} aria-hidden /> <span className="@max-3xl:sr-only">CSV</span>
      </Button>
      {isChoosing ? (
        <ColumnsDialog
          columns={columns}
          shown={shown}
          onChange={ids => setLayout({ columns: ids })}
          onClose={() => setChoosing(false)}
        />
      ) : null}
    </div>
  );
}
