/** How a call to a model ended; `open` means that it is under way, or that its engine died. */
export const CALL_OUTCOMES = [
  'open',
  'ok',
  'cancelled',
  'unauthorized',
  'bad_request',
  'too_large',
  'rate_limited',
  'overloaded',
  'server_error',
  'timeout',
  'connection',
  'broken_stream',
  'bad_tool_input',
  'truncated',
  'refusal',
] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** As the server counts them; null where it did not say. */
export type CallTokens = {
  readonly input: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly output: number | null;
};

export type ModelCall = {
  readonly n: number;
  readonly at: number;
  /** Label of the proposer that asked; see {@link TRAINING} for a training. */
  readonly proposer: string;
  readonly model: string;
  readonly requestId: string | null;
  readonly outcome: CallOutcome;
  readonly message: string | null;
  readonly tokens: CallTokens;
  /** null where the model has no price, or the server did not say what it took. */
  readonly costUsd: number | null;
  readonly seconds: number | null;
  /** Answered with what an earlier call brought. */
  readonly isKept: boolean;
};

/** Who asked, if it was a training, its metric.command or a check. */
export const TRAINING = 'training';
/** Label of calls that sum up a debrief. They have the number of the last experiment, and are no part of it. */
export const SUMMARY = 'summary';

/** What calls to models came to. Calls without a price count in tokens only. */
export type Spend = {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  /** Of the calls with a known price; null where none has one. */
  readonly costUsd: number | null;
  /** Calls to a model without a price. */
  readonly unpriced: number;
};

/** A model a server offers. */
export type ModelChoice = { readonly id: string; readonly name: string };

/** How the host keeps the key of the model server. The key itself never goes to a window. */
export type KeyStatus = {
  readonly isAvailable: boolean;
  /** Whether nothing but the file's rights protects it. */
  readonly isPlain: boolean;
  readonly hasKey: boolean;
};
