import type { StudyCard } from '../../../shared/notebook.ts';
import type { SortKey } from './arrange-rows.ts';
import { CURVE, measuredIds } from './table-columns.ts';

/** The layout of a project's table; constants and printed values differ from project to project. */
export type TableLayout = {
  /** Names of the shown columns, in order; null for the default selection. */
  readonly columns: readonly string[] | null;
  /** In pixels, if the user changed them. */
  readonly widths: Readonly<Record<string, number>>;
  readonly sort: readonly SortKey[];
  readonly group: string | null;
  readonly filter: string;
};

const FRESH: TableLayout = {
  ...{ columns: null, widths: {}, group: null, filter: '' },
  sort: [{ id: 'n', isDown: true }],
};

const KEY = 'pawl.tables';
/** How many projects' layouts are stored; older ones are forgotten. */
const REMEMBERED = 50;

export const WIDTHS = { least: 48, most: 900 };

/**
 * The default selection: what a notebook shows about an experiment, and the constants that were changed, as far as
 * there is room.
 */
export function usualColumns(card: StudyCard, turned: readonly string[]): readonly string[] {
  const { metric, memory } = measuredIds(card);
  return [
    ...['n', 'verdict', metric, 'delta', ...(card.claims ? ['P'] : [])],
    ...['hypothesis', ...turned.slice(0, 4), 'category', 'trained', memory, CURVE],
  ];
}

/** The last layout of the project's table in this browser or window. */
export function restoreLayout(project: string): TableLayout {
  return readAll().find(([key]) => key === project)?.[1] ?? FRESH;
}

export function rememberLayout(project: string, layout: TableLayout): void {
  const others = readAll().filter(([key]) => key !== project);
  try {
    localStorage.setItem(KEY, JSON.stringify([[project, layout], ...others].slice(0, REMEMBERED)));
  } catch {
    // If nothing can be stored, the next start begins like the first.
  }
}

function readAll(): readonly (readonly [string, TableLayout])[] {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(all) ? all.filter(isNamedLayout) : [];
  } catch {
    return [];
  }
}

type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

/** Data from another version of Pawl may have another shape. */
function isNamedLayout(value: unknown): value is [string, TableLayout] {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return false;
  const { columns, widths, sort, group, filter } = (value[1] ?? {}) as Unchecked<TableLayout>;
  return (
    (columns === null || isListOf(columns, isText)) &&
    typeof widths === 'object' &&
    widths !== null &&
    Object.values(widths).every(Number.isFinite) &&
    isListOf(sort, isSortKey) &&
    (group === null || isText(group)) &&
    isText(filter)
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isSortKey(value: unknown): boolean {
  const { id, isDown } = (value ?? {}) as Unchecked<SortKey>;
  return isText(id) && typeof isDown === 'boolean';
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
