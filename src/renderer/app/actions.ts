import { flushSync } from 'react-dom';
import type { NewStudyForm } from '../../shared/calls/call-inputs.ts';
import { hasLogScale, progressModel } from '../../shared/charts/progress-model.ts';
import { type ProgressPreset, type ProgressView, showAll } from '../../shared/charts/progress-view.ts';
import type { StudyCard } from '../../shared/notebook.ts';
import { clamp } from '../../shared/numbers.ts';
import type { SampleName } from '../../shared/samples.ts';
import type { CurveChoice } from '../charts/curve-choice.ts';
import { progressRows } from '../charts/progress-rows.ts';
import { lastStudy, rememberStudy } from './browser-store.ts';
import { explain } from './explain.ts';
import { listedCells } from './listed-cells.ts';
import { rememberSidebar, rememberView, wasSidebarFolded } from './remember.ts';
import { hasNews, markSeen } from './seen.ts';
import {
  type Filter,
  isActive,
  NO_FILTER,
  type Overlay,
  runningOf,
  type Screen,
  type State,
  type StudyTab,
  type StudyView,
  studyOf,
  useStore,
} from './store.ts';
import { getClient, readNotebook } from './sync.ts';
import { toast } from './toast.ts';

/** How long the search waits for the next keystroke. */
const SEARCH_MS = 150;

/** In a narrower window, an unfolded sidebar would take a quarter of the width. */
const NARROW = '(width < 900px)';

const { getState, setState } = useStore;
let searchTimer: ReturnType<typeof setTimeout> | undefined;
let wishes = 0;

/** Runs a call and shows any error; resolves to whether it succeeded. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) toast.success(done);
    return true;
  } catch (error) {
    toast.error(explain(error));
    return false;
  }
}

export function goTo(screen: Screen): void {
  setState({ screen, overlay: null });
}

/**
 * Folds the sidebar automatically in a narrow window, and restores the user's choice in a wide one. Call once per
 * window.
 */
export function watchWidth(): void {
  const narrow = window.matchMedia(NARROW);
  const follow = () =>
    setState({ isNarrow: narrow.matches, isSidebarFolded: narrow.matches || wasSidebarFolded() });
  narrow.addEventListener('change', follow);
  follow();
}

export function foldSidebar(isFolded: boolean): void {
  setState({ isSidebarFolded: isFolded });
  if (!getState().isNarrow) rememberSidebar(isFolded);
}

/** In a narrow window the unfolded sidebar covers the content, so it closes after a choice. */
export function leaveSidebar(): void {
  if (getState().isNarrow) foldSidebar(true);
}

export function showOverlay(overlay: Overlay | null): void {
  setState({ overlay });
}

export function openStudy(study: string, tab: StudyTab = 'notebook'): void {
  rememberStudy(study);
  setState({ screen: { name: 'study', tab }, overlay: null });
  if (getState().notebook?.study !== study) void readNotebook(study).then(searchAgain);
}

/**
 * The first screen of a window: the running study; else the last place, with the debrief if the study has ended
 * since; at the very first start, the welcome screen.
 */
export function openFirstScreen(): void {
  const { studies, screen } = getState();
  if (screen.name !== 'welcome') return;
  const running = studies.find(isActive);
  const last = lastStudy();
  const card = running ?? studies.find(({ id }) => id === last);
  if (card) openStudy(card.id, hasNews(card) ? 'debrief' : 'notebook');
}

/** Shows the debrief to a user who returns to a study that has ended meanwhile. Call once per window. */
export function watchReturn(): void {
  document.addEventListener('visibilitychange', () => {
    const { study, studies, overlay } = getState();
    const card = studies.find(({ id }) => id === study);
    if (document.visibilityState !== 'visible' || !card) return;
    if (!overlay && hasNews(card)) openStudy(card.id, 'debrief');
    markSeen(card);
  });
}

/** Opens the study and shows one of its experiments. */
export function openExperiment(study: string, n: number | null): void {
  openStudy(study);
  if (n !== null) revealCell(n, true);
}

function changeView(change: (view: StudyView) => Partial<StudyView>): void {
  const { study, view } = getState();
  const next = { ...view, ...change(view) };
  setState({ view: next });
  if (study) rememberView(study, next);
}

export function setChartView(chart: ProgressView): void {
  changeView(() => ({ chart }));
}

/** Shows the notebook with this range of the chart; null is everything. */
export function showChartRange(preset: ProgressPreset | null): void {
  goTo({ name: 'study', tab: 'notebook' });
  changeView(({ chart }) => ({ isChartHidden: false, chart: { ...showAll(chart), preset } }));
}

/** Shows the notebook and switches its chart between values and distances from the best. */
export function switchChartScale(): void {
  goTo({ name: 'study', tab: 'notebook' });
  const { notebook, view } = getState();
  const { chart } = view;
  const goal = studyOf(getState())?.contract.metric.goal ?? 'minimize';
  const model = progressModel(progressRows(notebook?.cells ?? [], null, null), goal, chart.axis);
  const scale = hasLogScale(model, chart.scale) ? 'linear' : 'log';
  // A zoomed y range belongs to the scale on which it was chosen.
  changeView(() => ({ isChartHidden: false, chart: { ...chart, y: null, scale } }));
}

export function toggleChart(): void {
  changeView(({ isChartHidden }) => ({ isChartHidden: !isChartHidden }));
}

export function selectCell(n: number | null): void {
  changeView(() => ({ selected: n }));
}

export function hoverCell(n: number | null): void {
  setState({ hovered: n });
}

export function toggleCell(n: number): void {
  if (isTableShown(getState())) {
    jumpTo(n);
    return;
  }
  const isOpen = getState().view.opened.includes(n);
  if (!isOpen) revealCell(n, true);
  else changeView(({ opened }) => ({ selected: n, opened: opened.filter(other => other !== n) }));
}

/** Selects a cell and scrolls to it; an opened cell goes to the top, so that there is room to read. */
export function revealCell(n: number, isOpened = false, takesFocus = false): void {
  wishes += 1;
  changeView(({ opened }) => ({
    selected: n,
    opened: isOpened && !opened.includes(n) ? [...opened, n] : opened,
  }));
  setState({ reveal: { n, wish: wishes, toTop: isOpened, takesFocus } });
}

/** Opens an experiment in the notebook, even if the filter hides it. */
export function jumpTo(n: number): void {
  goTo({ name: 'study', tab: 'notebook' });
  if (!listedCells(getState()).some(cell => cell.n === n)) setFilter(NO_FILTER);
  revealCell(n, true);
}

/** Takes the focus away from a pressed control, so that Enter opens the selected experiment. */
export function leaveControls(): void {
  document.querySelector('main')?.focus({ preventScroll: true });
}

/** Focuses the table's filter if the table is shown, else the notebook's search, before the next key is typed. */
export function focusSearch(): void {
  const isInTable = isTableShown(getState());
  if (!isInTable) flushSync(() => goTo({ name: 'study', tab: 'notebook' }));
  document.getElementById(isInTable ? 'table-filter' : 'notebook-search')?.focus();
}

function isTableShown({ screen }: State): boolean {
  return screen.name === 'study' && screen.tab === 'table';
}

export function setTabled(tabled: readonly number[]): void {
  setState({ tabled });
}

export function setFilter(patch: Partial<Filter>): void {
  changeView(({ filter }) => ({ filter: { ...filter, ...patch } }));
  if (patch.text !== undefined) searchAgain();
}

/** Text is searched with the ledger's full-text index; a number means an experiment. */
function searchAgain(): void {
  clearTimeout(searchTimer);
  const { text } = getState().view.filter;
  if (text.trim() === '') {
    setState({ found: null });
    return;
  }
  searchTimer = setTimeout(() => void search(text), SEARCH_MS);
}

async function search(text: string): Promise<void> {
  const { study } = getState();
  if (!study) return;
  await attempt(async () => {
    const found = new Set(await getClient().studies.search({ study, words: text.slice(0, 400) }));
    const number = /^#?(\d+)$/.exec(text.trim())?.[1];
    if (number) found.add(Number(number));
    const now = getState();
    if (now.study === study && now.view.filter.text === text) setState({ found });
  });
}

export function toggleCompared(n: number): void {
  changeView(({ compared }) => ({
    compared: compared.includes(n) ? compared.filter(other => other !== n) : [...compared, n],
  }));
}

/** Changes how all curves of the study are drawn. */
export function setCurves(patch: Partial<CurveChoice>): void {
  changeView(({ curves }) => ({ curves: { ...curves, ...patch } }));
}

export function setCompared(compared: readonly number[]): void {
  changeView(() => ({ compared }));
}

/** Inspects the path and opens its set-up. Resolves to the problem, or null. */
export async function openProject(path: string): Promise<string | null> {
  try {
    const { path: top } = await getClient().projects.inspect({ path });
    goTo({ name: 'set_up', path: top });
    return null;
  } catch (error) {
    return explain(error);
  }
}

export async function openSample(name: SampleName): Promise<void> {
  await attempt(async () => {
    const { path } = await getClient().projects.createSample({ name });
    goTo({ name: 'set_up', path });
  });
}

/** Rejects with the host's error. */
export async function startStudy(form: NewStudyForm): Promise<void> {
  const card = await getClient().studies.start(form);
  setState(state => ({ studies: [card, ...state.studies.filter(known => known.id !== card.id)] }));
  openStudy(card.id);
}

export function requestOf(kind: 'pause' | 'continue' | 'stop' | 'stop_now'): Promise<boolean> {
  const running = runningOf(getState());
  if (!running) return Promise.resolve(false);
  return attempt(() => getClient().studies.request({ study: running.id, kind }));
}

/** Turns approve mode on or off. */
export function setApproval({ id, tag }: StudyCard, asks: boolean): Promise<boolean> {
  return attempt(
    () => getClient().studies.setApproval({ study: id, asks }),
    asks ? `Proposals of ${tag} wait for your approval.` : `Proposals of ${tag} run without your approval.`,
  );
}

/** Selects the next cell in the list, or the previous one. */
export function moveSelection(by: 1 | -1): void {
  const state = getState();
  const { selected } = state.view;
  if (isTableShown(state)) {
    const at = selected === null ? -1 : state.tabled.indexOf(selected);
    const next = state.tabled[stepFrom(at, by, state.tabled.length)];
    leaveControls();
    if (next !== undefined) selectCell(next);
    return;
  }
  const cells = listedCells(state);
  const at = selected === null ? -1 : cells.findIndex(({ n }) => n === selected);
  const next = cells[stepFrom(at, by, cells.length)];
  if (next) revealCell(next.n, false, true);
  else leaveControls();
}

/** The next index, limited to the ends; from -1 it is the first or the last. */
function stepFrom(at: number, by: 1 | -1, length: number): number {
  if (at < 0) return by > 0 ? 0 : length - 1;
  return clamp(at + by, 0, length - 1);
}
