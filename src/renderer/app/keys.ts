import { useEffect } from 'react';
import { isAvailable } from './command.ts';
import { ALL_COMMANDS } from './commands.ts';
import { useStore } from './store.ts';

const TYPED_INTO = [
  ...['input', 'textarea', '.xterm', '.cm-editor'],
  ...['combobox', 'listbox', 'dialog', 'menu'].map(role => `[role="${role}"]`),
].join();

/** Keys that mean something to what has the focus must not also mean something here. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest(TYPED_INTO) !== null);
}

/** Runs the command whose key is pressed. */
export function useKeys(): void {
  useEffect(() => {
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}

function listen(event: KeyboardEvent): void {
  const isControl = event.ctrlKey || event.metaKey;
  if (!isControl && (event.altKey || event.defaultPrevented || isTyping(event.target))) return;
  const key = isControl ? `Ctrl ${event.key.toUpperCase()}` : event.key;
  if (key === 'Enter' && isControlled(event.target)) return;
  const state = useStore.getState();
  // What is typed while a dialog is on its way is meant for it.
  if (!isControl && state.overlay !== null) return;
  const command = ALL_COMMANDS.find(
    ({ keys, scope }) => keys === key && (scope === 'app' || state.screen.name === 'study'),
  );
  if (!command || !isAvailable(command, state)) return;
  event.preventDefault();
  command.run(state);
}

/** On a button or a link Enter is that one's. */
function isControlled(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, summary, [role="button"]') !== null;
}
