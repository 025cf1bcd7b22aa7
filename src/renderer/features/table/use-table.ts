import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import type { ConstantTexts } from '../../../shared/table-rows.ts';
import { type ExperimentRows, useConstantRows, useGpuUses, useTableRows } from '../../app/experiment-rows.ts';
import { useStore } from '../../app/store.ts';
import { useSame } from '../../ui/use-same.ts';
import { type Item, itemsOf, sortRows } from './arrange-rows.ts';
import { type FilterProblem, type Predicate, parseFilter } from './filter-language.ts';
import { type Column, columnsOf, type Row, sittingsOf } from './table-columns.ts';
import { rememberLayout, restoreLayout, type TableLayout, usualColumns } from './table-layout.ts';

export type Table = {
  readonly layout: TableLayout;
  readonly setLayout: (patch: Partial<TableLayout>) => void;
  /** All columns. */
  readonly columns: readonly Column[];
  /** The shown columns, in order. */
  readonly shown: readonly Column[];
  readonly group: Column | null;
  /** All rows, regardless of the filter. */
  readonly rows: readonly Row[];
  /** Filtered and sorted. */
  readonly listed: readonly Row[];
  readonly items: readonly Item[];
  readonly toggleGroup: (key: string) => void;
  readonly problem: FilterProblem | null;
  /** Experiments whose data has not fully arrived. */
  readonly missing: number;
  readonly isLoading: boolean;
};

const NO_CELLS: readonly (Cell | undefined)[] = [];
const everything: Predicate = () => true;

/** The table of a study: what is known about its experiments, laid out as the user left it. */
export function useTable(card: StudyCard): Table {
  const [layout, setOwn] = useState(() => restoreLayout(card.gitDir));
  const setLayout = (patch: Partial<TableLayout>) => {
    const next = { ...layout, ...patch };
    setOwn(next);
    rememberLayout(card.gitDir, next);
  };
  const more = useTableRows();
  const constants = useConstantRows();
  const needsGpu = [...(layout.columns ?? []), ...layout.sort.map(({ id }) => id), layout.filter].some(word =>
    /\bgpu\b/i.test(word),
  );
  const gpu = useGpuUses(needsGpu);
  const rows = useRows(card, more, constants, gpu);
  const summaryNames = useSame(useMemo(() => namesIn(more), [more]));
  const { all, turned } = useConstantNames(constants);
  const columns = useMemo(() => columnsOf(card, summaryNames, all), [card, summaryNames, all]);
  const ids = layout.columns ?? usualColumns(card, turned);
  const shown = useSame(ids.flatMap(id => columns.find(column => column.id === id) ?? []));
  const group = columns.find(({ id }) => id === layout.group) ?? null;
  const { matches, problem } = useFilter(layout.filter, columns);
  const listed = useMemo(
    () => sortRows(rows.filter(matches), layout.sort, columns),
    [rows, matches, layout.sort, columns],
  );
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const items = useMemo(() => itemsOf(listed, group, closed), [listed, group, closed]);
  const isLoading = useStore(state => state.notebook?.status === 'loading');
  return {
    ...{ layout, setLayout, columns, shown, group, rows, listed, items, problem, isLoading },
    toggleGroup: key =>
      setClosed(before => {
        const next = new Set(before);
        if (!next.delete(key)) next.add(key);
        return next;
      }),
    missing: Math.max(0, card.cells - rows.length) + Math.max(more.missing, constants.missing, gpu.missing),
  };
}

function useRows(
  card: StudyCard,
  more: ReturnType<typeof useTableRows>,
  constants: ExperimentRows<ConstantTexts>,
  gpu: ExperimentRows<number | null>,
): readonly Row[] {
  // The user's actions come first.
  const cells = useDeferredValue(useStore(state => state.notebook?.cells)) ?? NO_CELLS;
  const marks = useStore(state => state.notebook?.marks);
  const keeps = card.claims?.keeps;
  return useMemo(() => {
    const sittingOf = sittingsOf(marks ?? []);
    const claims = new Map(keeps?.map(({ n, probability }) => [n, probability]));
    return cells.flatMap(cell => {
      if (!cell) return [];
      const { n } = cell;
      return [
        {
          cell,
          more: more.rows.get(n) ?? null,
          constants: constants.rows.get(n) ?? null,
          gpuPercent: gpu.rows.get(n) ?? null,
          probability: claims.get(n) ?? null,
          sitting: sittingOf(cell.startedAt),
        },
      ];
    });
  }, [cells, marks, keeps, more, constants, gpu]);
}

function namesIn({ rows }: ReturnType<typeof useTableRows>): readonly string[] {
  const names = new Set<string>();
  for (const { summary } of rows.values()) for (const [name] of summary) names.add(name);
  return [...names];
}

/** All constants in the order of their files, and those that have more than one value. */
function useConstantNames(constants: ExperimentRows<ConstantTexts>) {
  const found = useMemo(() => constantNames(constants), [constants]);
  return { all: useSame(found.all), turned: useSame(found.turned) };
}

function constantNames({ rows }: ExperimentRows<ConstantTexts>) {
  const first = new Map<string, string | null>();
  const turned = new Set<string>();
  for (const { names, get } of rows.values()) {
    for (const name of names) {
      const text = get(name);
      if (!first.has(name)) first.set(name, text);
      else if (text !== first.get(name)) turned.add(name);
    }
  }
  const all = [...first.keys()];
  return {
    all: [...all.filter(name => turned.has(name)), ...all.filter(name => !turned.has(name))],
    turned: all.filter(name => turned.has(name)),
  };
}

/** How long a typed letter waits for the next one. */
const SETTLE_MS = 120;

/** The rows that pass the filter; while the filter has an error, those of the last valid one. */
function useFilter(text: string, columns: readonly Column[]) {
  const [settled, setSettled] = useState(text);
  const [last, setLast] = useState<{ readonly matches: Predicate }>({ matches: everything });
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const parsed = useMemo(() => parseFilter(settled, columns), [settled, columns]);
  useEffect(() => {
    if (parsed.kind === 'ok') setLast(parsed);
  }, [parsed]);
  return parsed.kind === 'ok'
    ? { matches: parsed.matches, problem: null }
    : { matches: last.matches, problem: parsed.problem };
}
