/** How a call to a model ended; `open` means that it is in progress, or that its engine died. */
const CALL_OUTCOMES = [
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

/** As the server counts them; null if it did not say. */
export type CallTokens = {
  readonly input: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly output: number | null;
};

export type ModelCall = {
  readonly n: number;
  readonly at: number;
  /** Label of the proposer that asked; for a training, {@link TRAINING}. */
  readonly proposer: string;
  readonly model: string;
  readonly requestId: string | null;
  readonly outcome: CallOutcome;
  readonly message: string | null;
  readonly tokens: CallTokens;
  /** Null if the model has no price, or the server did not report the usage. */
  readonly costUsd: number | null;
  readonly seconds: number | null;
  /** Whether it was answered with an earlier call's answer. */
  readonly isKept: boolean;
};

/** The label of questions from a training, its metric.command or a check. */
export const TRAINING = 'training';
/** The label of calls that summarize a debrief. They carry the last experiment's number, but do not belong to it. */
export const SUMMARY = 'summary';

/** The sum of model calls. Calls without a price count only in tokens. */
export type Spend = {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  /** For the calls with a known price; null if there are none. */
  readonly costUsd: number | null;
  /** Calls to a model without a price. */
  readonly unpriced: number;
};

/** A model a server offers. */
export type ModelChoice = { readonly id: string; readonly name: string };

/** How the host keeps the key of the model server. The key itself never goes to a window. */
export type KeyStatus = {
  readonly isAvailable: boolean;
  /** Whether only the file's permissions protect it. */
  readonly isPlain: boolean;
  readonly hasKey: boolean;
};
