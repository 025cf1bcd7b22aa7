import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import type { CallOutcome } from '../../../shared/proposers/model-calls.ts';
import { stripControl } from '../../metrics/line-splitter.ts';

const MESSAGE_CHARACTERS = 500;

export type Failure = {
  readonly outcome: CallOutcome;
  readonly message: string;
  readonly retryAfterMs: number | null;
  /** Whether the server rejected the request before it did any work. */
  readonly isTurnedAway: boolean;
};

/** Says what went wrong in Pawl's words, followed by the server's, and never contains the key. */
export function failureOf(
  error: unknown,
  state: { readonly isSilent: boolean; readonly isCancelled: boolean; readonly key: string | null },
): Failure {
  const status = error instanceof APIError ? error.status : undefined;
  const fail = (outcome: CallOutcome, words: string): Failure => {
    const said = error instanceof APIError ? error.apiMessage : null;
    const all = said ?? (error instanceof Error ? error.message : String(error));
    const detail = state.key ? all.replaceAll(state.key, '…') : all;
    return {
      outcome,
      message: stripControl(`${words}: ${detail.slice(0, MESSAGE_CHARACTERS)}`).toWellFormed(),
      retryAfterMs: error instanceof APIError ? retryAfter(error.headers) : null,
      isTurnedAway: status !== undefined || outcome === 'connection',
    };
  };
  if (state.isCancelled) return fail('cancelled', 'Stopped');
  if (state.isSilent || error instanceof APIConnectionTimeoutError) {
    return fail('timeout', 'The server stopped answering');
  }
  if (error instanceof APIUserAbortError) return fail('cancelled', 'Stopped');
  if (error instanceof Error && error.cause instanceof SyntaxError) {
    return fail('bad_tool_input', 'The model wrote an unreadable tool call');
  }
  if (error instanceof APIConnectionError) return fail('connection', 'The server cannot be reached');
  if (!(error instanceof APIError)) return fail('broken_stream', 'The answer was interrupted');
  const { type } = error;
  const says = error.apiMessage ?? '';
  if (status === 429 || type === 'rate_limit_error')
    return fail('rate_limited', 'The server limits the rate');
  if (status === 529 || type === 'overloaded_error') return fail('overloaded', 'The server is overloaded');
  if (status === 401 || status === 402 || status === 403) {
    return fail('unauthorized', 'The server rejected the key');
  }
  if (status === 413 || (status === 400 && /too long|too large|context/i.test(says))) {
    return fail('too_large', 'The request is too large');
  }
  if (status === 408 || status === 409 || (status !== undefined && status >= 500) || type === 'api_error') {
    return fail('server_error', 'The server failed');
  }
  if (status !== undefined && status >= 400) return fail('bad_request', 'The server refused the request');
  return fail('broken_stream', 'The answer was interrupted');
}

/** Seconds or a date, as HTTP allows; null if it is neither. */
function retryAfter(headers: Headers | undefined): number | null {
  const value = headers?.get('retry-after');
  if (!value) return null;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds : null;
}
