import type { KeyboardEvent } from 'react';
import { type Idea, OUTSIDE, YOU } from '../../../shared/proposers/ideas.ts';
import { arrange } from '../../ui/arrange.ts';
import { type IdeaActions, ideaButtonId, type Move } from './idea-row.tsx';

/** Ideas in the user's order; newer ones are last. */
export function inOrder(waiting: readonly Idea[], order: readonly number[] | null): readonly Idea[] {
  return order ? arrange(waiting, order, ({ id }) => id) : waiting;
}

/** The next idea: edits go before words, and the user's words before a proposer's. */
export function nextOf(ideas: readonly Idea[], isDeaf: boolean): number | null {
  const edit = ideas.find(({ files }) => files.length > 0);
  const words = isDeaf ? undefined : ideas.find(({ author }) => author === YOU || author === OUTSIDE);
  return (edit ?? words)?.id ?? null;
}

/** Arrow keys move from idea to idea; with Alt they move the idea. */
export function onListKey(
  event: KeyboardEvent<HTMLElement>,
  ideas: readonly Idea[],
  actions: IdeaActions,
): void {
  const { target, key, altKey } = event;
  if (!(target instanceof HTMLElement) || target.closest('form') || event.ctrlKey || event.metaKey) return;
  const id = Number(target.closest('li')?.querySelector<HTMLElement>('[data-idea]')?.dataset.idea);
  const at = ideas.findIndex(idea => idea.id === id);
  if (at < 0) return;
  const moves: Readonly<Record<string, Move>> = { ArrowUp: 'up', ArrowDown: 'down', Home: 'first' };
  const where = moves[key];
  const places: Readonly<Record<string, number>> = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    Home: 0,
    End: ideas.length - 1,
  };
  const place = places[key];
  if (altKey && where) actions.move(id, where);
  else if (!altKey && place !== undefined) {
    const next = ideas[place];
    if (next) document.getElementById(ideaButtonId(next.id))?.focus();
  } else if (!altKey && key === 'e') actions.edit(id);
  else if (!altKey && key === 'Delete') actions.drop(id);
  else return;
  event.preventDefault();
}
