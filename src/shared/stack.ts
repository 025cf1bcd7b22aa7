import type { Measurement } from './study.ts';

/** No study keeps more, and no window may send more. */
export const MAX_KEEPS = 1_000;

/** A keep of the branch's line, which becomes one commit of the stack. */
export type StackKeep = {
  readonly n: number;
  readonly hypothesis: string;
  readonly rationale: string | null;
  /** Over the keep before it, as measured; null if one has no number. */
  readonly gain: number | null;
  readonly record: Measurement | null;
  /** As in `StudyClaims`; null if nothing is claimed. */
  readonly probability: number | null;
  readonly isProven: boolean;
  /** Whether it is shorter but not better, so that no gain is claimed for it. */
  readonly isSimplification: boolean;
  /** Lines, without binary files. */
  readonly added: number;
  readonly removed: number;
};

/** An experiment with exactly this tree. */
export type Measured = { readonly n: number; readonly record: Measurement };

/**
 * What happens to a keep at its position. `untested`: no experiment has exactly this tree. `conflict`: its change
 * conflicts in `files`, and the stack continues without it. `empty`: it changes nothing there.
 */
export type StackStep = { readonly n: number } & (
  | { readonly state: 'measured'; readonly by: Measured }
  | { readonly state: 'untested' }
  | { readonly state: 'conflict'; readonly files: readonly string[] }
  | { readonly state: 'empty' }
);

/** Chosen keeps in an order, applied one after the other from the baseline on. */
export type Stack = {
  readonly baseline: Measured | null;
  /** All available keeps, in the order they were kept. */
  readonly keeps: readonly StackKeep[];
  /** One step for each chosen keep, in order. */
  readonly steps: readonly StackStep[];
  /** The experiment that measured the whole stack; null if none did. */
  readonly measured: Measured | null;
  /** The author of the commits as `Name <address>`, from git's settings; null if no name is set. */
  readonly author: string | null;
};

/** A pull request, whatever the forge calls it: title and text in Markdown. */
export type PullRequest = { readonly title: string; readonly text: string };

/** Why a stack with conflicts cannot be used; null if there are no conflicts. */
export function describeConflicts(steps: readonly StackStep[]): string | null {
  const met = steps.flatMap(step =>
    step.state === 'conflict' ? [`#${step.n} (${step.files.join(', ')})`] : [],
  );
  if (met.length === 0) return null;
  return `${met.join(', ')} ${met.length === 1 ? 'conflicts' : 'conflict'} with the commits before: leave ${met.length === 1 ? 'it' : 'them'} out, or choose another order.`;
}

export const NO_AUTHOR =
  'git has no name for you here: run "git config user.name" and "git config user.email" in the repository.';
