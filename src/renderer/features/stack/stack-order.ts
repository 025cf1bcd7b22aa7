import type { KeyboardEvent } from 'react';
import type { StackKeep, StackStep } from '../../../shared/stack.ts';
import { arrange } from '../../ui/arrange.ts';

/** The user's arrangement of the keeps. */
export type Arrangement = {
  /** Numbers in the user's order; newer keeps come last. Empty means the order in which they were kept. */
  readonly order: readonly number[];
  readonly leftOut: readonly number[];
};

export const AS_KEPT: Arrangement = { order: [], leftOut: [] };

export function inOrder(keeps: readonly StackKeep[], { order }: Arrangement): readonly StackKeep[] {
  return arrange(keeps, order, ({ n }) => n);
}

/** The list with one entry moved. */
export function moveTo(ns: readonly number[], n: number, to: number): readonly number[] {
  const rest = ns.filter(other => other !== n);
  return [...rest.slice(0, to), n, ...rest.slice(to)];
}

export function toggle({ order, leftOut }: Arrangement, n: number): Arrangement {
  const isOut = leftOut.includes(n);
  return { order, leftOut: isOut ? leftOut.filter(other => other !== n) : [...leftOut, n] };
}

/**
 * The steps of a choice that are known from the answer to another: a keep's outcome depends only on the keeps before
 * it.
 */
export function knownSteps(
  steps: readonly StackStep[],
  chosen: readonly number[],
): ReadonlyMap<number, StackStep> {
  const first = steps.findIndex(({ n }, place) => chosen[place] !== n);
  return new Map(steps.slice(0, first < 0 ? steps.length : first).map(step => [step.n, step]));
}

/** Numbers of conflicting keeps. */
export function conflictsOf(steps: readonly StackStep[]): readonly number[] {
  return steps.filter(({ state }) => state === 'conflict').map(({ n }) => n);
}

/** Id of the checkbox that chooses a keep; arrow keys move between these. */
export function boxId(n: number): string {
  return `stack-${n}`;
}

export type StackActions = {
  /** To an index in the resulting list. */
  readonly move: (n: number, to: number) => void;
  /** Before an index of the present list. */
  readonly drop: (n: number, before: number) => void;
  readonly choose: (n: number) => void;
  readonly unfold: (n: number) => void;
  readonly tryWithout: (n: number) => void;
  /** Makes it the keep that keys apply to. */
  readonly point: (n: number) => void;
};

/** Arrow keys move from keep to keep, with Alt they move the keep; Enter unfolds it. */
export function onListKey(
  event: KeyboardEvent<HTMLElement>,
  ns: readonly number[],
  actions: StackActions,
): void {
  const { target, key, altKey } = event;
  if (!(target instanceof HTMLInputElement) || event.ctrlKey || event.metaKey) return;
  const at = ns.indexOf(Number(target.dataset.keep));
  const n = ns[at];
  if (n === undefined) return;
  const places: Readonly<Record<string, number>> = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    Home: 0,
    End: ns.length - 1,
  };
  const to = places[key];
  if (to !== undefined && altKey) actions.move(n, to);
  else if (to !== undefined) document.getElementById(boxId(ns[to] ?? n))?.focus();
  else if (key === 'Enter' && !altKey) actions.unfold(n);
  else return;
  event.preventDefault();
}
