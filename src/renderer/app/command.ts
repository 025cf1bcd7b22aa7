import type { LucideIcon } from 'lucide-react';
import { runningOf, type State, studyOf } from './store.ts';

/** Words that are always the same, or depend on what is shown. */
type Words = string | ((state: State) => string);

export type Command = {
  /** What it is about: the app, the open study, the open study if it was not imported, or the study that runs. */
  readonly scope: 'app' | 'study' | 'own_study' | 'running';
  /** Its name in the palette and on the sheet of shortcuts. */
  readonly label: Words;
  /** Its name on a button or in a menu, where that differs. */
  readonly short?: Words;
  readonly icon?: LucideIcon;
  /** As `KeyboardEvent.key` gives it, or `Ctrl` with a capital letter. */
  readonly keys?: string;
  /** Only a key runs it: it means nothing where a command is chosen by its name. */
  readonly isKeyOnly?: boolean;
  /** It asks something of the host, which must be reached. */
  readonly needsHost?: boolean;
  /** Whether it can be run now, in addition to its scope; always where it is left out. */
  readonly isAvailable?: (state: State) => boolean;
  readonly run: (state: State) => void;
};

/** Whether it can be run now. */
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

/** The words as they are now. */
export function tell(words: Words, state: State): string {
  return typeof words === 'string' ? words : words(state);
}
