import type { Contract } from './contract.ts';
import type { Draft, Finding, Unclear } from './findings.ts';

/** One preflight check. `failed` keeps a study from starting; `warning` is worth knowing. */
export type PreflightCheck = {
  readonly name: string;
  readonly outcome: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What was found and, unless it is `ok`, what to do. */
  readonly detail: string;
};

/** A set-up command word for word, with the files it reads instructions from. */
export type SetUpView = {
  readonly command: string;
  readonly files: readonly { readonly path: string; readonly text: string; readonly isCut: boolean }[];
  /** Digest of the whole set-up; the user agrees to it. */
  readonly digest: string;
  readonly isAgreed: boolean;
};

/** What was found at a path from the user. */
export type Inspection = {
  readonly path: string;
  readonly gitDir: string;
  readonly name: string;
  readonly head: string | null;
  readonly branch: string | null;
  /** The contract of the last commit; null if there is none, or if something is unclear and `problem` says why. */
  readonly contract: Contract | null;
  /** As far as it was found; null if nothing was. */
  readonly draft: Draft | null;
  readonly findings: readonly Finding[];
  readonly unclear: readonly Unclear[];
  readonly problem: string | null;
  /** Tracked files for the form to choose from; at most two thousand. */
  readonly files: readonly string[];
  /** The next free tag. */
  readonly tag: string;
};

export type Folder = {
  readonly path: string;
  readonly parent: string | null;
  readonly entries: readonly {
    readonly name: string;
    readonly path: string;
    readonly isRepository: boolean;
  }[];
};
