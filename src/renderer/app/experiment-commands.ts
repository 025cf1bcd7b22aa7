import {
  CornerLeftUp,
  FileCode,
  FileText,
  FolderOpen,
  GitCommitHorizontal,
  NotebookText,
  RotateCcw,
} from 'lucide-react';
import { showOverlay } from './actions.ts';
import type { Command } from './command.ts';
import {
  copyCommit,
  copyMarkdown,
  goToParent,
  openInEditor,
  reveal,
  selectedOf,
} from './experiment-actions.ts';
import type { State } from './store.ts';

/** Only the desktop has a file manager; a browser may be on another machine. */
const placeWords = ({ host }: State, what: string) =>
  host?.host === 'desktop' ? `show its ${what} in the file manager` : `copy the path of its ${what}`;
const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
const isSelected = (state: State) => selectedOf(state) !== null;
const hasCommit = (state: State) => selectedOf(state)?.commit != null;
/** The baseline was not built on anything. */
const isTried = (state: State) => hasCommit(state) && selectedOf(state)?.n !== 0;
const hasRun = (state: State) => hasCommit(state) && selectedOf(state)?.trainedSeconds != null;

/** Commands for the selected experiment, in the order of its menu. */
export const EXPERIMENT_COMMANDS = {
  tryAgain: {
    scope: 'own_study',
    label: 'Experiment: try it again',
    short: 'Try again …',
    icon: RotateCcw,
    keys: 't',
    isAvailable: isTried,
    run: state => showOverlay({ name: 'queue', again: selectedOf(state)?.n ?? null }),
  },
  parent: {
    scope: 'own_study',
    label: 'Experiment: go to its parent',
    short: 'Go to its parent',
    icon: CornerLeftUp,
    keys: 'p',
    needsHost: true,
    isAvailable: isTried,
    run: goToParent,
  },
  openInEditor: {
    scope: 'own_study',
    label: 'Experiment: open in the editor',
    short: 'Open in the editor',
    icon: FileCode,
    keys: 'e',
    needsHost: true,
    isAvailable: hasCommit,
    run: openInEditor,
  },
  copyMarkdown: {
    scope: 'study',
    label: 'Experiment: copy as Markdown',
    short: 'Copy as Markdown',
    icon: NotebookText,
    keys: 'm',
    needsHost: true,
    isAvailable: isSelected,
    run: copyMarkdown,
  },
  copyCommit: {
    scope: 'study',
    label: 'Experiment: copy the commit',
    short: 'Copy the commit',
    icon: GitCommitHorizontal,
    keys: 'h',
    isAvailable: hasCommit,
    run: copyCommit,
  },
  revealLog: {
    scope: 'own_study',
    label: state => `Experiment: ${placeWords(state, 'log')}`,
    short: state => sentence(placeWords(state, 'log')),
    icon: FileText,
    keys: 'r',
    needsHost: true,
    isAvailable: hasRun,
    run: () => reveal('log'),
  },
  revealFolder: {
    scope: 'own_study',
    label: state => `Experiment: ${placeWords(state, 'folder')}`,
    short: state => sentence(placeWords(state, 'folder')),
    icon: FolderOpen,
    needsHost: true,
    isAvailable: hasRun,
    run: () => reveal('folder'),
  },
} satisfies Readonly<Record<string, Command>>;
