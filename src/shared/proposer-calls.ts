/** How asking a proposer ended; `open` is under way, or its engine died. */
export const PROPOSER_OUTCOMES = [
  'open',
  'proposed',
  'failed',
  'blocked',
  'spent',
  'exhausted',
  'cancelled',
] as const;
export type ProposerOutcome = (typeof PROPOSER_OUTCOMES)[number];

/** What is known of a proposer's work, in one study or over all. */
export type ProposerRecord = {
  /** See `proposerLabel`. */
  readonly proposer: string;
  readonly calls: number;
  readonly proposed: number;
  /** Calls that came to nothing, by how they ended. */
  readonly failures: readonly {
    readonly outcome: ProposerOutcome;
    readonly count: number;
    readonly last: string;
  }[];
  /** Of all its calls. */
  readonly seconds: number;
  /** null where no call had a price. */
  readonly costUsd: number | null;
  readonly experiments: number;
  readonly keep: number;
  readonly discard: number;
  readonly crash: number;
  /** Sum over its keeps of what each gained on its incumbent, as a share of it. */
  readonly gainShare: number;
  /** Milliseconds since the epoch until which it rests; null where it does not. */
  readonly restsUntil: number | null;
};

/** An agent on the command line, as far as can be seen without asking it anything. */
export type AgentStatus = {
  readonly agent: string;
  readonly title: string;
  /** Whether its program is on the PATH. */
  readonly isFound: boolean;
  /** What it says of itself; null where it is not installed, does not say, or is still being asked. */
  readonly version: string | null;
  readonly isAsking: boolean;
  /** Whether a sign-in can be seen; it may also be in the system's keyring. */
  readonly isSignedIn: boolean;
  /** What to do about a missing one. */
  readonly signIn: string;
};

/** What came of asking an agent for one harmless proposal. */
export type AgentTrial = {
  readonly isGood: boolean;
  readonly message: string;
  readonly seconds: number;
  readonly isContained: boolean;
};
