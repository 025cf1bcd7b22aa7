import type { LucideIcon } from 'lucide-react';
import { runningOf, type State, studyOf } from './store.ts';

/** A text that is fixed, or depends on the state. */
type Words = string | ((state: State) => string);

export type Command = {
  /** What the command applies to: the app, the open study, the open study unless it is imported, or the running study. */
  readonly scope: 'app' | 'study' | 'own_study' | 'running';
  /** Its name in the palette and in the list of shortcuts. */
  readonly label: Words;
  /** Its name on a button or in a menu, if different. */
  readonly short?: Words;
  readonly icon?: LucideIcon;
  /** As in `KeyboardEvent.key`, or `Ctrl` with a capital letter. */
  readonly keys?: string;
  /** Only a key can run it: it is not listed where commands are chosen by name. */
  readonly isKeyOnly?: boolean;
  /** Whether it needs a connection to the host. */
  readonly needsHost?: boolean;
  /** Whether it can run now, in addition to its scope; always by default. */
  readonly isAvailable?: (state: State) => boolean;
  readonly run: (state: State) => void;
};

/** Whether the command can run now. */
export function isAvailable(command: Command, state: State): boolean {
  if (command.needsHost && state.connection.kind !== 'online') return false;
  return isInScope(command, state) && (command.isAvailable?.(state) ?? true);
}

function isInScope({ scope }: Command, state: State): boolean {
  const card = studyOf(state);
  switch (scope) {
    case 'app':
      return true;
    case 'study':
      return card !== null;
    case 'own_study':
      return card !== null && card.state !== 'imported';
    case 'running':
      return runningOf(state) !== null;
    default:
      return scope satisfies never;
  }
}

/** The text for the present state. */
export function tell(words: Words, state: State): string {
  return typeof words === 'string' ? words : words(state);
}
