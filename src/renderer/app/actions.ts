import { toast } from 'sonner';
import type { NewStudyForm } from '../../shared/call-inputs.ts';
import { hasLogScale } from '../../shared/charts/progress-layout.ts';
import { progressModel } from '../../shared/charts/progress-model.ts';
import { type ProgressPreset, type ProgressView, showAll } from '../../shared/charts/progress-view.ts';
import type { StudyCard } from '../../shared/notebook.ts';
import type { SampleName } from '../../shared/samples.ts';
import type { CurveChoice } from '../charts/curve-choice.ts';
import { progressRows } from '../charts/progress-rows.ts';
import { explain } from './explain.ts';
import { listedCells } from './listed-cells.ts';
import { lastStudy, rememberSidebar, rememberStudy, rememberView, wasSidebarFolded } from './remember.ts';
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

/** How long the search waits for the next letter. */
const SEARCH_MS = 150;

/** Narrower, an unfolded sidebar would take a quarter of the window. */
const NARROW = '(width < 900px)';

const { getState, setState } = useStore;
let searchTimer: ReturnType<typeof setTimeout> | undefined;
let wishes = 0;

/** Runs a call and shows what went wrong; resolves to whether it went well. */
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

/** Folds the sidebar of a narrow window by itself, and as the user left it in a wide one. Once for the whole window. */
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

/** An unfolded sidebar lies over a narrow window: it goes when something was chosen in it. */
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
 * Where a window begins: at what runs, else where it was left, with the debrief of what has ended since; the first time at the
 * welcome screen.
 */
export function openFirstScreen(): void {
  const { studies, screen } = getState();
  if (screen.name !== 'welcome') return;
  const running = studies.find(isActive);
  const last = lastStudy();
  const card = running ?? studies.find(({ id }) => id === last);
  if (card) openStudy(card.id, hasNews(card) ? 'debrief' : 'notebook');
}

/** Whoever comes back to a study that has ended meanwhile finds what it was worth. Once for the whole window. */
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

/** Shows the notebook with the chart's values, or their distances to the best: whichever was not shown. */
export function switchChartScale(): void {
  goTo({ name: 'study', tab: 'notebook' });
  const { notebook, view } = getState();
  const { chart } = view;
  const goal = studyOf(getState())?.contract.metric.goal ?? 'minimize';
  const model = progressModel(progressRows(notebook?.cells ?? [], null, null), goal, chart.axis);
  const scale = hasLogScale(model, chart.scale) ? 'linear' : 'log';
  // A range of y that was zoomed to belongs to the scale on which it was seen.
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

/** Selects a cell and scrolls to it; an opened one is brought to the top, so that there is room to read. */
export function revealCell(n: number, isOpened = false, takesFocus = false): void {
  wishes += 1;
  changeView(({ opened }) => ({
    selected: n,
    opened: isOpened && !opened.includes(n) ? [...opened, n] : opened,
  }));
  setState({ reveal: { n, wish: wishes, toTop: isOpened, takesFocus } });
}

/** Opens an experiment in the notebook, whatever the filter hides. */
export function jumpTo(n: number): void {
  goTo({ name: 'study', tab: 'notebook' });
  if (!listedCells(getState()).some(cell => cell.n === n)) setFilter(NO_FILTER);
  revealCell(n, true);
}

/** Takes the focus from a control that was pressed before, so that Enter is the selected experiment's. */
export function leaveControls(): void {
  document.querySelector('main')?.focus({ preventScroll: true });
}

/** Puts the focus into the filter of the table, where that is shown, else into the notebook's search. */
export function focusSearch(): void {
  const isInTable = isTableShown(getState());
  if (!isInTable) goTo({ name: 'study', tab: 'notebook' });
  requestAnimationFrame(() =>
    document.getElementById(isInTable ? 'table-filter' : 'notebook-search')?.focus(),
  );
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

/** Text is looked for by the ledger's full-text index; a number is an experiment. */
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

/** Draws all curves of the study in another way. */
export function setCurves(patch: Partial<CurveChoice>): void {
  changeView(({ curves }) => ({ curves: { ...curves, ...patch } }));
}

export function setCompared(compared: readonly number[]): void {
  changeView(() => ({ compared }));
}

/** Asks what is at the path and goes to the set-up of it. Resolves to what went wrong, or null. */
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

/** Rejects with what the host says. */
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

/** Approve mode on or off. */
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

/** The place one further, not beyond the ends; from no place (-1) it is the first or the last. */
function stepFrom(at: number, by: 1 | -1, length: number): number {
  if (at < 0) return by > 0 ? 0 : length - 1;
  return Math.min(Math.max(at + by, 0), length - 1);
}
