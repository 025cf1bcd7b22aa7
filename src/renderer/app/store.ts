import { create } from 'zustand';
import { type ProgressView, WHOLE_VIEW } from '../../shared/charts/progress-view.ts';
import type {
  Cell,
  LivePoint,
  Mark,
  Project,
  RefusedProposal,
  StudyCard,
  Thought,
} from '../../shared/notebook.ts';
import { DEFAULT_SETTINGS, type HostInfo, type Settings } from '../../shared/settings.ts';
import type { VerdictWord } from '../../shared/study.ts';
import type { GpuState, TelemetrySample } from '../../shared/telemetry.ts';
import { type CurveChoice, FIRST_CURVES } from '../charts/curve-choice.ts';
import type { ImportSource } from './import-source.ts';

/** How the window stands with its host. */
export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** Milliseconds since the epoch. */
  | { readonly kind: 'offline'; readonly since: number; readonly retryAt: number }
  | { readonly kind: 'refused' };

/** The cells of the open study, as far as they have come. */
export type Notebook = {
  readonly study: string;
  /** By number; a hole is an experiment that has not been read yet or is not there. */
  readonly cells: readonly (Cell | undefined)[];
  readonly marks: readonly Mark[];
  readonly refusals: readonly RefusedProposal[];
  readonly status: 'loading' | 'ready' | 'failed';
  /** Of `status` failed. */
  readonly problem: string | null;
};

/** The points that came since the run began or the window was opened. */
export type Live = {
  readonly study: string;
  readonly n: number;
  readonly k: number;
  readonly points: readonly LivePoint[];
  /** How often older points were let go, because the ledger has them by now. */
  readonly folds: number;
};

export type Screen =
  | { readonly name: 'welcome' }
  | { readonly name: 'overview' }
  | { readonly name: 'set_up'; readonly path: string }
  | { readonly name: 'study'; readonly tab: StudyTab };
export const STUDY_TABS = [
  'notebook',
  'live',
  'compare',
  'instructions',
  'debrief',
  'table',
  'constants',
  'lineage',
] as const;
export type StudyTab = (typeof STUDY_TABS)[number];

export type Filter = {
  /** Empty is all. */
  readonly verdicts: readonly (VerdictWord | 'running')[];
  readonly category: string | null;
  readonly text: string;
};
export const NO_FILTER: Filter = { verdicts: [], category: null, text: '' };

export type Overlay =
  | { readonly name: 'palette' }
  | { readonly name: 'shortcuts' }
  | { readonly name: 'settings' }
  | { readonly name: 'channel' }
  | { readonly name: 'room' }
  /** With words to begin with. */
  | { readonly name: 'steer'; readonly text?: string }
  /** With the experiment that is tried again; null shows what waits. */
  | { readonly name: 'queue'; readonly again: number | null }
  | { readonly name: 'stack' }
  | { readonly name: 'audit' }
  | { readonly name: 'export' }
  | { readonly name: 'proposers' }
  | { readonly name: 'resume' }
  | { readonly name: 'folder' }
  /** Begins at once where a source is given. */
  | { readonly name: 'import'; readonly source: ImportSource | null }
  | { readonly name: 'stop_now' };

/** What belongs to how one study is looked at; kept over reloads. */
export type StudyView = {
  readonly chart: ProgressView;
  readonly isChartHidden: boolean;
  readonly filter: Filter;
  readonly selected: number | null;
  readonly opened: readonly number[];
  readonly compared: readonly number[];
  readonly curves: CurveChoice;
};
export const FRESH_VIEW: StudyView = {
  chart: WHOLE_VIEW,
  isChartHidden: false,
  filter: NO_FILTER,
  selected: null,
  opened: [],
  compared: [],
  curves: FIRST_CURVES,
};

export type State = {
  readonly connection: ConnectionState;
  readonly host: HostInfo | null;
  readonly hasSnapshot: boolean;
  readonly projects: readonly Project[];
  readonly studies: readonly StudyCard[];
  readonly settings: Settings;
  readonly telemetry: readonly TelemetrySample[];
  readonly gpuState: GpuState;
  readonly screen: Screen;
  /** Whether of the sidebar only a strip is shown. */
  readonly isSidebarFolded: boolean;
  /** The window has no room for an unfolded sidebar beside something else. */
  readonly isNarrow: boolean;
  /** The study that is looked at. */
  readonly study: string | null;
  readonly notebook: Notebook | null;
  /** Points of the runs that train now. */
  readonly live: readonly Live[];
  /** The newest thought of the proposer that proposes now, or did last. */
  readonly thought: Thought | null;
  readonly view: StudyView;
  readonly hovered: number | null;
  /** Numbers the full-text search found; null while no text is searched for. */
  readonly found: ReadonlySet<number> | null;
  /** Asks the list to bring this experiment into sight, and the focus to it; the number changes with every wish. */
  readonly reveal: {
    readonly n: number;
    readonly wish: number;
    readonly toTop: boolean;
    readonly takesFocus: boolean;
  } | null;
  readonly overlay: Overlay | null;
  /** Numbers of the experiments that the table lists, in its order. */
  readonly tabled: readonly number[];
};

/** The one store. Only the functions of `sync.ts` and `actions.ts` change it. */
export const useStore = create<State>(() => ({
  connection: { kind: 'connecting' },
  host: null,
  hasSnapshot: false,
  projects: [],
  studies: [],
  settings: DEFAULT_SETTINGS,
  telemetry: [],
  gpuState: { kind: 'starting' },
  screen: { name: 'welcome' },
  isSidebarFolded: false,
  isNarrow: false,
  study: null,
  notebook: null,
  live: [],
  thought: null,
  view: FRESH_VIEW,
  hovered: null,
  found: null,
  reveal: null,
  overlay: null,
  tabled: [],
}));

/** The open study's card. */
export function studyOf({ studies, study }: State): StudyCard | null {
  return studies.find(card => card.id === study) ?? null;
}

export function useStudy(): StudyCard | null {
  return useStore(studyOf);
}

/** The study whose sitting is on, whichever is looked at. */
export function runningOf({ studies }: State): StudyCard | null {
  return studies.find(isActive) ?? null;
}

export function useRunning(): StudyCard | null {
  return useStore(runningOf);
}

export function isActive(card: StudyCard): boolean {
  return card.isStarting || card.state === 'running' || card.state === 'paused';
}
