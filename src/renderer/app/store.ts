import { create } from 'zustand';
import { type ProgressView, WHOLE_VIEW } from '../../shared/charts/progress-view.ts';
import type { GpuState, TelemetrySample } from '../../shared/machines/telemetry.ts';
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
import { type CurveChoice, FIRST_CURVES } from '../charts/curve-choice.ts';
import type { ImportSource } from './import-source.ts';

/** The window's connection to its host. */
type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** Milliseconds since the epoch. */
  | { readonly kind: 'offline'; readonly since: number; readonly retryAt: number }
  | { readonly kind: 'refused' };

/** The open study's cells that have arrived so far. */
export type Notebook = {
  readonly study: string;
  /** By number; a hole is an experiment that was not read yet or does not exist. */
  readonly cells: readonly (Cell | undefined)[];
  readonly marks: readonly Mark[];
  readonly refusals: readonly RefusedProposal[];
  readonly status: 'loading' | 'ready' | 'failed';
  /** An error of `status`. */
  readonly problem: string | null;
};

/** Points that arrived since the run began or the window was opened. */
export type Live = {
  readonly study: string;
  readonly n: number;
  readonly k: number;
  readonly points: readonly LivePoint[];
  /** How many times older points were dropped, because the ledger has them by then. */
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
  /** Empty means all. */
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
  | { readonly name: 'large-view' }
  /** With an initial text. */
  | { readonly name: 'steer'; readonly text?: string }
  /** With the experiment to try again; null shows the queue. */
  | { readonly name: 'queue'; readonly again: number | null }
  | { readonly name: 'stack' }
  | { readonly name: 'audit' }
  | { readonly name: 'export' }
  | { readonly name: 'proposers' }
  | { readonly name: 'resume' }
  | { readonly name: 'jobs' }
  | { readonly name: 'folder' }
  /** Begins right away if a source is given. */
  | { readonly name: 'import'; readonly source: ImportSource | null }
  | { readonly name: 'stop_now' };

/** How the user looks at one study; kept over reloads. */
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
  /** Whether the sidebar is folded to a strip. */
  readonly isSidebarFolded: boolean;
  /** Whether the window is too narrow for an unfolded sidebar beside the content. */
  readonly isNarrow: boolean;
  /** The open study. */
  readonly study: string | null;
  readonly notebook: Notebook | null;
  /** Points of the runs in training. */
  readonly live: readonly Live[];
  /** The newest thought of the proposer that is or was last proposing. */
  readonly thought: Thought | null;
  readonly view: StudyView;
  readonly hovered: number | null;
  /** Numbers that the full-text search found; null if there is no search text. */
  readonly found: ReadonlySet<number> | null;
  /** Asks the list to scroll to this experiment and focus it; the number changes with each request. */
  readonly reveal: {
    readonly n: number;
    readonly wish: number;
    readonly toTop: boolean;
    readonly takesFocus: boolean;
  } | null;
  readonly overlay: Overlay | null;
  /** Experiments in the table, in its order. */
  readonly tabled: readonly number[];
};

/** The only store. Only functions in `sync.ts` and `actions.ts` change it. */
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

/** The study with a sitting, whichever is open. */
export function runningOf({ studies }: State): StudyCard | null {
  return studies.find(isActive) ?? null;
}

export function useRunning(): StudyCard | null {
  return useStore(runningOf);
}

export function isActive(card: StudyCard): boolean {
  return card.isStarting || card.state === 'running' || card.state === 'paused';
}
