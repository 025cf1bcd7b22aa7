import type { Measurement } from './study.ts';

/** No study keeps more, and no window may send more. */
export const MAX_KEEPS = 1_000;

/** A keep of the branch's line, which becomes one commit of the stack. */
export type StackKeep = {
  readonly n: number;
  readonly hypothesis: string;
  readonly rationale: string | null;
  /** Over the keep before it, where it was measured; null where one has no number. */
  readonly gain: number | null;
  readonly record: Measurement | null;
  /** As in `StudyClaims`; null where nothing is claimed. */
  readonly probability: number | null;
  readonly isProven: boolean;
  /** It is shorter and not better: no gain is claimed for it. */
  readonly isSimplification: boolean;
  /** Lines, binary files left out. */
  readonly added: number;
  readonly removed: number;
};

/** An experiment whose tree is exactly this one. */
export type Measured = { readonly n: number; readonly record: Measurement };

/**
 * What becomes of a keep in its place. `untested`: no experiment has exactly this tree. `conflict`: its change meets another in
 * `files`, and the stack goes on without it. `empty`: it changes nothing there.
 */
export type StackStep = { readonly n: number } & (
  | { readonly state: 'measured'; readonly by: Measured }
  | { readonly state: 'untested' }
  | { readonly state: 'conflict'; readonly files: readonly string[] }
  | { readonly state: 'empty' }
);

/** A choice of keeps in an order, laid one upon the other from the baseline on. */
export type Stack = {
  readonly baseline: Measured | null;
  /** All there are to choose from, in the order they were kept. */
  readonly keeps: readonly StackKeep[];
  /** Of the chosen ones, in their order. */
  readonly steps: readonly StackStep[];
  /** The experiment that measured the whole of it; null where none did. */
  readonly measured: Measured | null;
  /** `Name <address>` of the commits' author as git is set up; null where no name is set. */
  readonly author: string | null;
};

/** A pull request, or whatever a forge calls it: title and text in Markdown. */
export type PullRequest = { readonly title: string; readonly text: string };

/** Why a stack with conflicts cannot be taken anywhere; null for one without. */
export function describeConflicts(steps: readonly StackStep[]): string | null {
  const met = steps.flatMap(step =>
    step.state === 'conflict' ? [`#${step.n} (${step.files.join(', ')})`] : [],
  );
  if (met.length === 0) return null;
  return `${met.join(', ')} ${met.length === 1 ? 'conflicts' : 'conflict'} with the commits before: leave ${met.length === 1 ? 'it' : 'them'} out, or choose another order.`;
}

export const NO_AUTHOR =
  'git has no name for you here: run "git config user.name" and "git config user.email" in the repository.';
