import {
  CircleHelp,
  CircleStop,
  Command as CommandIcon,
  Download,
  FlaskConical,
  FolderPlus,
  GitBranch,
  GitBranchPlus,
  GitCompareArrows,
  LayoutList,
  ListOrdered,
  Maximize,
  MessageSquarePlus,
  Moon,
  OctagonX,
  PanelLeft,
  Pause,
  Play,
  Scale,
  Send,
  Server,
  Settings,
  SlidersHorizontal,
  Sun,
  Sunrise,
  Table2,
  Trophy,
  UserCheck,
} from 'lucide-react';
import { REQUEST_WORDS, withdrawWords } from '../../shared/request-words.ts';
import { SAMPLE_NAMES } from '../../shared/samples.ts';
import {
  focusSearch,
  foldSidebar,
  goTo,
  jumpTo,
  leaveControls,
  moveSelection,
  openSample,
  requestOf,
  setApproval,
  setFilter,
  showOverlay,
  toggleCell,
  toggleCompared,
} from './actions.ts';
import { CHART_COMMANDS } from './chart-commands.ts';
import type { Command } from './command.ts';
import { EXPERIMENT_COMMANDS } from './experiment-commands.ts';
import { saveSettings } from './settings.ts';
import { type Overlay, runningOf, type State, type StudyTab, studyOf } from './store.ts';

const best = (state: State) => studyOf(state)?.tally.bestExperiment ?? null;
const show = (overlay: Overlay) => () => showOverlay(overlay);
const showTab = (tab: StudyTab) => () => goTo({ name: 'study', tab });
const wish = (state: State) => runningOf(state)?.current?.wish ?? null;
const isPaused = (state: State) => runningOf(state)?.state === 'paused';

/** Everything that the user can do by name or by key, in the palette's order. */
export const COMMANDS = {
  notebook: { scope: 'study', label: 'Notebook', keys: '1', run: showTab('notebook') },
  live: { scope: 'own_study', label: 'Live view', keys: '2', run: showTab('live') },
  compare: { scope: 'study', label: 'Compare', keys: '3', run: showTab('compare') },
  instructions: {
    scope: 'own_study',
    label: 'Edit the instructions',
    keys: '4',
    run: showTab('instructions'),
  },
  debrief: {
    scope: 'study',
    label: 'Debrief: what the study achieved',
    icon: Sunrise,
    keys: '5',
    run: showTab('debrief'),
  },
  table: {
    scope: 'study',
    label: 'Table of all experiments',
    icon: Table2,
    keys: '6',
    run: showTab('table'),
  },
  constants: {
    scope: 'own_study',
    label: 'Constants and their values',
    icon: SlidersHorizontal,
    keys: '7',
    run: showTab('constants'),
  },
  lineage: {
    scope: 'own_study',
    label: 'Lineage: which experiment builds on which',
    icon: GitBranch,
    keys: '8',
    run: showTab('lineage'),
  },
  next: {
    scope: 'study',
    label: 'Next experiment',
    keys: 'j',
    isKeyOnly: true,
    run: () => moveSelection(1),
  },
  previous: {
    scope: 'study',
    label: 'Previous experiment',
    keys: 'k',
    isKeyOnly: true,
    run: () => moveSelection(-1),
  },
  toggle: {
    scope: 'study',
    label: 'Experiment: open or close',
    keys: 'Enter',
    isKeyOnly: true,
    isAvailable: ({ view }) => view.selected !== null,
    run: ({ view }) => view.selected !== null && toggleCell(view.selected),
  },
  mark: {
    scope: 'study',
    label: 'Experiment: mark for comparison',
    short: state =>
      state.view.compared.includes(state.view.selected ?? -1)
        ? 'Unmark for comparison'
        : 'Mark for comparison',
    icon: GitCompareArrows,
    keys: 'c',
    isKeyOnly: true,
    isAvailable: ({ view }) => view.selected !== null,
    run: ({ view }) => view.selected !== null && toggleCompared(view.selected),
  },
  ...EXPERIMENT_COMMANDS,
  search: { scope: 'study', label: 'Search', keys: '/', isKeyOnly: true, run: focusSearch },
  best: {
    scope: 'study',
    label: 'Jump to the best',
    icon: Trophy,
    keys: 'b',
    isAvailable: state => best(state) !== null,
    run: state => {
      const n = best(state);
      if (n !== null) jumpTo(n);
      leaveControls();
    },
  },
  onlyKept: {
    scope: 'study',
    label: 'Show only what was kept',
    run: () => setFilter({ verdicts: ['keep'] }),
  },
  ...CHART_COMMANDS,
  onlyCrashes: { scope: 'study', label: 'Show only crashes', run: () => setFilter({ verdicts: ['crash'] }) },
  proposers: {
    scope: 'own_study',
    label: 'Compare the proposers',
    short: 'Proposers …',
    icon: Scale,
    run: show({ name: 'proposers' }),
  },
  review: {
    scope: 'own_study',
    label: 'Review the proposal',
    isAvailable: state => Boolean(studyOf(state)?.waiting),
    run: showTab('live'),
  },
  approval: {
    scope: 'own_study',
    label: state =>
      studyOf(state)?.asksApproval
        ? 'Let proposals run without approval'
        : 'Approve each proposal before it runs',
    short: state =>
      studyOf(state)?.asksApproval
        ? 'Proposals wait for your approval'
        : 'Proposals run without your approval',
    icon: UserCheck,
    needsHost: true,
    run: state => {
      const card = studyOf(state);
      if (card) void setApproval(card, !card.asksApproval);
    },
  },
  steer: {
    scope: 'own_study',
    label: 'Steer: a note to the proposer',
    short: 'Steer',
    icon: MessageSquarePlus,
    keys: 's',
    needsHost: true,
    run: show({ name: 'steer' }),
  },
  queue: {
    scope: 'own_study',
    label: 'Queue of ideas',
    short: 'Queue …',
    icon: ListOrdered,
    keys: 'q',
    run: show({ name: 'queue', again: null }),
  },
  resume: {
    scope: 'own_study',
    label: 'Resume the study',
    short: 'Resume',
    icon: Play,
    needsHost: true,
    isAvailable: state => runningOf(state) === null,
    run: show({ name: 'resume' }),
  },
  stack: {
    scope: 'own_study',
    label: 'Take to Git: branch, patches, pull request',
    short: 'Take to Git …',
    icon: GitBranchPlus,
    keys: 'g',
    isAvailable: state => best(state) !== null,
    run: show({ name: 'stack' }),
  },
  audit: {
    scope: 'own_study',
    label: 'Audit the gains',
    short: 'Audit the gains …',
    icon: FlaskConical,
    needsHost: true,
    isAvailable: state => runningOf(state) === null && (studyOf(state)?.tally.keep ?? 0) > 1,
    run: show({ name: 'audit' }),
  },
  export: {
    scope: 'study',
    label: 'Export the study',
    short: 'Export …',
    icon: Download,
    run: show({ name: 'export' }),
  },
  continue: {
    scope: 'running',
    label: state => withdrawal(state) ?? 'Continue',
    icon: Play,
    needsHost: true,
    isAvailable: state => isPaused(state) || wish(state) !== null,
    run: () => void requestOf('continue'),
  },
  pause: {
    scope: 'running',
    label: REQUEST_WORDS.pause,
    short: 'Pause',
    icon: Pause,
    needsHost: true,
    isAvailable: state => !isPaused(state) && wish(state) === null,
    run: () => void requestOf('pause'),
  },
  stop: {
    scope: 'running',
    label: REQUEST_WORDS.stop,
    icon: CircleStop,
    needsHost: true,
    run: () => void requestOf('stop'),
  },
  stopNow: {
    scope: 'running',
    label: 'Stop now',
    short: 'Stop now …',
    icon: OctagonX,
    needsHost: true,
    run: show({ name: 'stop_now' }),
  },
  open: {
    scope: 'app',
    label: 'Open a project',
    icon: FolderPlus,
    keys: 'o',
    run: () => goTo({ name: 'welcome' }),
  },
  largeView: {
    scope: 'study',
    label: 'Show in large type, readable from across the room',
    short: 'Show in large type',
    icon: Maximize,
    keys: 'z',
    run: show({ name: 'large-view' }),
  },
  overview: {
    scope: 'app',
    label: 'All studies',
    icon: LayoutList,
    keys: '0',
    run: () => goTo({ name: 'overview' }),
  },
  import: {
    scope: 'app',
    label: 'Import results from elsewhere',
    short: 'Import results …',
    run: show({ name: 'import', source: null }),
  },
  jobs: {
    scope: 'app',
    label: 'Jobs on other machines',
    icon: Server,
    needsHost: true,
    run: show({ name: 'jobs' }),
  },
  browse: { scope: 'app', label: 'Browse folders', run: show({ name: 'folder' }) },
  sidebar: {
    scope: 'app',
    label: state => (state.isSidebarFolded ? 'Unfold the sidebar' : 'Fold the sidebar'),
    icon: PanelLeft,
    keys: 'Ctrl B',
    run: state => foldSidebar(!state.isSidebarFolded),
  },
  light: {
    scope: 'app',
    label: 'Light theme',
    icon: Sun,
    run: () => void saveSettings({ theme: 'light' }),
  },
  dark: { scope: 'app', label: 'Dark theme', icon: Moon, run: () => void saveSettings({ theme: 'dark' }) },
  systemTheme: {
    scope: 'app',
    label: 'Use the system theme',
    run: () => void saveSettings({ theme: 'system' }),
  },
  settings: { scope: 'app', label: 'Settings', icon: Settings, run: show({ name: 'settings' }) },
  channel: {
    scope: 'app',
    label: 'Tell me elsewhere: ntfy, Slack, a webhook',
    icon: Send,
    run: show({ name: 'channel' }),
  },
  shortcuts: {
    scope: 'app',
    label: 'Keyboard shortcuts',
    icon: CircleHelp,
    keys: '?',
    run: show({ name: 'shortcuts' }),
  },
  palette: {
    scope: 'app',
    label: 'Command palette',
    icon: CommandIcon,
    keys: 'Ctrl K',
    isKeyOnly: true,
    run: ({ overlay }) => showOverlay(overlay?.name === 'palette' ? null : { name: 'palette' }),
  },
} satisfies Readonly<Record<string, Command>>;

export type CommandId = keyof typeof COMMANDS;

/** The named commands, then one for each sample. */
export const ALL_COMMANDS: readonly (Command & { readonly id: string })[] = [
  ...Object.entries<Command>(COMMANDS).map(([id, command]) => ({ id, ...command })),
  ...SAMPLE_NAMES.map(name => ({
    id: `sample ${name}`,
    scope: 'app' as const,
    label: `Open the sample ${name}`,
    run: () => void openSample(name),
  })),
];

/** The label for withdrawing the user's last request; null if there is none. */
function withdrawal(state: State): string | null {
  const asked = wish(state);
  return isPaused(state) || asked === null ? null : withdrawWords(asked);
}
