import { PROGRESS_PRESETS, PROGRESS_SCALES } from '../../shared/charts/progress-view.ts';
import { isCurveChoice } from '../charts/curve-choice.ts';
import { read, write } from './browser-store.ts';
import { FRESH_VIEW, type StudyView } from './store.ts';

/** How many studies' views are kept; older ones are dropped. */
const REMEMBERED = 50;
const KEY = 'pawl.views';
const SEEN_KEY = 'pawl.seen';
const SIDEBAR_KEY = 'pawl.sidebar';

const AXES: readonly unknown[] = ['experiment', 'time', 'kept'] satisfies StudyView['chart']['axis'][];
const VERDICTS: readonly unknown[] = [
  'keep',
  'discard',
  'crash',
  'other',
  'running',
] satisfies StudyView['filter']['verdicts'][number][];

/**
 * Data from another version of Pawl may have another shape. It is checked by hand, because a schema library would be
 * a tenth of the code that the page loads first.
 */
function isView(value: unknown): value is StudyView {
  const { chart, isChartHidden, filter, selected, opened, compared, curves } = (value ??
    {}) as Unchecked<StudyView>;
  const { axis, scale, preset, x, y } = (chart ?? {}) as Unchecked<StudyView['chart']>;
  const { verdicts, category, text } = (filter ?? {}) as Unchecked<StudyView['filter']>;
  return (
    AXES.includes(axis) &&
    // Older versions stored neither.
    (scale === undefined || isOneOf(PROGRESS_SCALES, scale)) &&
    (preset === undefined || preset === null || isOneOf(PROGRESS_PRESETS, preset)) &&
    [x, y].every(range => range === null || (isListOf(range, isNumber) && range.length === 2)) &&
    typeof isChartHidden === 'boolean' &&
    isListOf(verdicts, word => VERDICTS.includes(word)) &&
    (category === null || typeof category === 'string') &&
    typeof text === 'string' &&
    (selected === null || isNumber(selected)) &&
    isListOf(opened, isNumber) &&
    isListOf(compared, isNumber) &&
    // Older versions had only one way to draw them.
    (curves === undefined || isCurveChoice(curves))
  );
}

type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

function isOneOf(known: readonly unknown[], value: unknown): boolean {
  return known.includes(value);
}

function isNumber(value: unknown): boolean {
  return Number.isFinite(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isItem);
}

function readAll(): readonly (readonly [string, StudyView])[] {
  try {
    const views: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return isListOf(views, isNamedView) ? (views as [string, StudyView][]) : [];
  } catch {
    return [];
  }
}

function isNamedView(value: unknown): boolean {
  return isListOf(value, () => true) && typeof value[0] === 'string' && isView(value[1]);
}

/** The study's last view, in this browser or window. */
export function restoreView(study: string): StudyView {
  const view = readAll().find(([id]) => id === study)?.[1];
  return view ? { ...FRESH_VIEW, ...view, chart: { ...FRESH_VIEW.chart, ...view.chart } } : FRESH_VIEW;
}

export function rememberView(study: string, view: StudyView): void {
  const others = readAll().filter(([id]) => id !== study);
  write(KEY, JSON.stringify([[study, view], ...others].slice(0, REMEMBERED)));
}

/** Up to when the user has seen a study's progress, in milliseconds since the epoch; null if it was never opened here. */
export function seenUntil(study: string): number | null {
  const at = Number(readSeen().find(([id]) => id === study)?.[1] ?? Number.NaN);
  return Number.isFinite(at) ? at : null;
}

export function rememberSeen(study: string, at: number): void {
  const others = readSeen().filter(([id]) => id !== study);
  write(SEEN_KEY, JSON.stringify([[study, at], ...others].slice(0, REMEMBERED)));
}

function readSeen(): readonly (readonly [string, number])[] {
  try {
    const seen: unknown = JSON.parse(read(SEEN_KEY) ?? '[]');
    return isListOf(seen, item => isListOf(item, () => true)) ? (seen as [string, number][]) : [];
  } catch {
    return [];
  }
}

export function wasSidebarFolded(): boolean {
  return read(SIDEBAR_KEY) === 'folded';
}

export function rememberSidebar(isFolded: boolean): void {
  write(SIDEBAR_KEY, isFolded ? 'folded' : 'unfolded');
}
