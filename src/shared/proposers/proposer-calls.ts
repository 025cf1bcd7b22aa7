/** How a request to a proposer ended; `open` means that it is in progress, or that its engine died. */
const PROPOSER_OUTCOMES = [
  'open',
  'proposed',
  'failed',
  'blocked',
  'spent',
  'exhausted',
  'cancelled',
] as const;
export type ProposerOutcome = (typeof PROPOSER_OUTCOMES)[number];

/** A proposer's results so far, in one study or in all. */
export type ProposerRecord = {
  /** See `proposerLabel`. */
  readonly proposer: string;
  readonly calls: number;
  readonly proposed: number;
  /** Calls without a proposal, by how they ended. */
  readonly failures: readonly {
    readonly outcome: ProposerOutcome;
    readonly count: number;
    readonly last: string;
  }[];
  /** Total of all its calls. */
  readonly seconds: number;
  /** Null if no call had a price. */
  readonly costUsd: number | null;
  readonly experiments: number;
  readonly keep: number;
  readonly discard: number;
  readonly crash: number;
  /**
   * The sum of its keeps' gains, each from the keep before it and as a share of the study's baseline; so all proposers'
   * together are the study's gain. Negative if it only removed lines at a small loss.
   */
  readonly gainShare: number;
  /** Until when it rests, in milliseconds since the epoch; null if it does not. */
  readonly restsUntil: number | null;
};

/** A command-line agent, as far as is known without asking it anything. */
export type AgentStatus = {
  readonly agent: string;
  readonly title: string;
  /** Whether its program is on the PATH. */
  readonly isFound: boolean;
  /** The version it reports; null if it is not installed, does not say, or is still being asked. */
  readonly version: string | null;
  readonly isAsking: boolean;
  /** Whether a sign-in can be seen; it may also be in the system's keyring. */
  readonly isSignedIn: boolean;
  /** How to sign in. */
  readonly signIn: string;
};

/** The result of asking an agent for one harmless proposal. */
export type AgentTrial = {
  readonly isGood: boolean;
  readonly message: string;
  readonly seconds: number;
  readonly isContained: boolean;
};
