import { useEffect } from 'react';
import { goTo, moveSelection, revealCell, showOverlay, toggleCell, toggleCompared } from './actions.ts';
import { STUDY_TABS, useStore } from './store.ts';

/** What the keys do; the shortcuts sheet lists exactly these. */
export const SHORTCUTS = [
  { keys: 'Ctrl K', what: 'Command palette' },
  { keys: 'j k', what: 'Next or previous experiment' },
  { keys: 'Enter', what: 'Open or close the selected experiment' },
  { keys: 'c', what: 'Mark the selected experiment for comparison' },
  { keys: 'b', what: 'Jump to the best experiment' },
  { keys: '/', what: 'Search' },
  { keys: '1 2 3 4', what: 'Notebook, live, compare, program.md' },
  { keys: 's', what: 'Steer: a note to the proposer' },
  { keys: 'q', what: 'Queue of ideas' },
  { keys: 'o', what: 'Open another project' },
  { keys: '+ − 0 ← →', what: 'Zoom, reset and pan the focused chart' },
  { keys: '?', what: 'This sheet' },
  { keys: 'Esc', what: 'Close, or leave the terminal and the editor' },
] as const;

/** Keys that mean something to what has the focus must not also mean something here. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest('input, textarea, select, [role="dialog"], [role="menu"], .xterm, .cm-editor') !== null)
  );
}

export function useKeyboard(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        const { overlay } = useStore.getState();
        showOverlay(overlay?.name === 'palette' ? null : { name: 'palette' });
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target)) return;
      if (handle(event.key, event.target)) event.preventDefault();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

/** Returns whether the key meant something. */
function handle(key: string, target: EventTarget | null): boolean {
  const { screen, view, studies, study } = useStore.getState();
  if (key === '?') {
    showOverlay({ name: 'shortcuts' });
    return true;
  }
  if (key === 'o') {
    goTo({ name: 'welcome' });
    return true;
  }
  if (screen.name !== 'study') return false;
  const tab = STUDY_TABS[Number(key) - 1];
  if (tab) {
    goTo({ name: 'study', tab });
    return true;
  }
  switch (key) {
    case 'j':
    case 'k':
      moveSelection(key === 'j' ? 1 : -1);
      leaveControls();
      return true;
    case 'Enter': {
      // On a button or a link the key is that one's.
      if (target instanceof HTMLElement && target.closest('button, a, summary, [role="button"]'))
        return false;
      if (view.selected === null) return false;
      toggleCell(view.selected);
      return true;
    }
    case 'c':
      if (view.selected === null) return false;
      toggleCompared(view.selected);
      return true;
    case 'b': {
      const best = studies.find(card => card.id === study)?.tally.bestExperiment;
      if (best === null || best === undefined) return false;
      goTo({ name: 'study', tab: 'notebook' });
      revealCell(best);
      leaveControls();
      return true;
    }
    case '/': {
      goTo({ name: 'study', tab: 'notebook' });
      requestAnimationFrame(() => document.getElementById('notebook-search')?.focus());
      return true;
    }
    case 's':
      showOverlay({ name: 'steer' });
      return true;
    case 'q':
      if (studies.find(card => card.id === study)?.state === 'imported') return false;
      showOverlay({ name: 'queue', again: null });
      return true;
    default:
      return false;
  }
}

/** So that Enter is the selected experiment's, and not that of a button pressed before. */
function leaveControls(): void {
  document.querySelector('main')?.focus({ preventScroll: true });
}
