import { useEffect } from 'react';
import { isAvailable } from './command.ts';
import { ALL_COMMANDS } from './commands.ts';
import { useStore } from './store.ts';

const TYPED_INTO = [
  ...['input', 'textarea', '.xterm', '.cm-editor'],
  ...['combobox', 'listbox', 'dialog', 'menu'].map(role => `[role="${role}"]`),
].join();

/** Keys that the focused element uses must not also run a command. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest(TYPED_INTO) !== null);
}

/** Runs the command of a pressed key. */
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
  // Keys pressed while a dialog is loading are meant for it.
  if (!isControl && state.overlay !== null) return;
  const command = ALL_COMMANDS.find(
    ({ keys, scope }) => keys === key && (scope === 'app' || state.screen.name === 'study'),
  );
  if (!command || !isAvailable(command, state)) return;
  event.preventDefault();
  command.run(state);
}

/** On a button or link, Enter belongs to that control. */
function isControlled(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, summary, [role="button"]') !== null;
}
