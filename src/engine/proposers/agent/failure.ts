import type { CallOutcome } from '../../../shared/proposers/model-calls.ts';
import type { AgentProgram, Failure, FailureWords, Sign } from './program.ts';

/** Messages that several programs use, or pass on from servers. */
const WORDS: readonly FailureWords[] = [
  {
    failure: 'sign_in',
    words:
      /unauthorized|invalid x-api-key|authentication required|api key not valid|invalid api key|missing environment variable|(?:status|error|http)\W{0,4}(?:code\W{0,2})?40[13]\b/i,
  },
  { failure: 'quota', words: /insufficient_quota|credit balance|payment required/i },
  {
    failure: 'rate_limit',
    words: /rate.?limit|too many requests|(?:status|error|http)\W{0,4}(?:code\W{0,2})?429\b/i,
  },
  {
    failure: 'no_model',
    words: /model_not_found|model not found|(?:status|error|http)\W{0,4}(?:code\W{0,2})?404\b/i,
  },
  { failure: 'overloaded', words: /overloaded|service unavailable/i },
  { failure: 'server', words: /(?:status|error|http)\W{0,4}(?:code\W{0,2})?5\d\d\b|internal server error/i },
  {
    failure: 'no_network',
    words:
      /connection (?:error|refused|reset|closed)|econn|enotfound|eai_again|fetch failed|network error|error sending request|unable to connect|stream disconnected/i,
  },
  { failure: 'refusal', words: /usage policy|content.?filter|prohibited.?content|\brefus(?:al|ed)\b/i },
];

/** The meaning of an HTTP status; null if it says too little. */
function failureOfStatus(status: number): Failure | null {
  if (status === 401 || status === 403) return 'sign_in';
  if (status === 402) return 'quota';
  if (status === 404) return 'no_model';
  if (status === 429) return 'rate_limit';
  if (status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'server';
  return status >= 400 ? 'request' : null;
}

/**
 * The kind of failure that a program complains about; null if unknown. The program's own words count first: a quota
 * has the status of a rate limit, and a wrong key may have that of any bad request.
 */
export function failureOf(
  { words }: Pick<AgentProgram, 'words'>,
  status: number | null,
  said: string,
): Failure | null {
  return (
    ownFailureOf({ words }, said) ??
    (status === null ? null : failureOfStatus(status)) ??
    ownFailureOf({ words: WORDS }, said)
  );
}

/** Like {@link failureOf}, but only from the program's own words. */
export function ownFailureOf({ words }: Pick<AgentProgram, 'words'>, said: string): Failure | null {
  return words.find(entry => entry.words.test(said))?.failure ?? null;
}

/** Whether to end a retrying program, because its retries are hopeless or endless. */
export function isVain(program: Pick<AgentProgram, 'words'>, sign: Sign): boolean {
  const failure = failureOf(program, sign.status, sign.says);
  const isHopeless = failure === 'sign_in' || failure === 'no_model' || failure === 'request';
  return sign.isEndless || (sign.isRepeated && isHopeless);
}

type Handling = {
  /**
   * `blocked`: another proposer takes over, and this one is asked again later; `failed`: it is asked again at once,
   * with the reason.
   */
  readonly kind: 'blocked' | 'failed';
  readonly outcome: CallOutcome;
  /** The rest of the sentence that begins with the agent's title. */
  readonly says: string;
};

export const HANDLING: Readonly<Record<Failure, Handling>> = {
  sign_in: { kind: 'blocked', outcome: 'unauthorized', says: 'is not signed in' },
  quota: { kind: 'blocked', outcome: 'rate_limited', says: 'has no quota left' },
  rate_limit: { kind: 'blocked', outcome: 'rate_limited', says: 'is held back by a rate limit' },
  overloaded: { kind: 'blocked', outcome: 'overloaded', says: 'reached an overloaded server' },
  server: { kind: 'blocked', outcome: 'server_error', says: 'reached a failing server' },
  no_network: { kind: 'blocked', outcome: 'connection', says: 'cannot reach its server' },
  no_model: {
    kind: 'blocked',
    outcome: 'bad_request',
    says: 'asked for a model that its server does not have',
  },
  refusal: { kind: 'failed', outcome: 'refusal', says: 'declined' },
  request: { kind: 'failed', outcome: 'bad_request', says: 'sent a request that its server rejects' },
};
