import { setTimeout as delay } from 'node:timers/promises';
import Anthropic, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import type { Message, MessageCreateParamsBase, Usage } from '@anthropic-ai/sdk/resources/messages';
import type { CallOutcome, CallTokens } from '../../../shared/model-calls.ts';
import { type ModelSettings, proposerLabel, type Study } from '../../../shared/study.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { costOf, mostOf, type Price } from './prices.ts';

const ANTHROPIC = 'https://api.anthropic.com';
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
/** An outage this long is for the user to look at. */
const PATIENCE_MS = 3_600_000;
/** Answers that break off this often in a row will do so again. */
const MAX_BROKEN = 3;
const MESSAGE_CHARACTERS = 500;

/** Trouble that passes by itself: the same request is worth making again. */
const PASSING: readonly CallOutcome[] = [
  'rate_limited',
  'overloaded',
  'server_error',
  'timeout',
  'connection',
  'broken_stream',
];

export type CallTimes = {
  /** Waits between two tries. Rejects when the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** A stream that says nothing for this long is dead; the server sends pings. */
  readonly silenceMs: number;
};

const CALL_TIMES: CallTimes = {
  wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
  silenceMs: 120_000,
};

export type CallerPorts = {
  readonly ledger: Ledger;
  readonly now: () => number;
  /** Told what the model thinks, and why there is a wait. */
  readonly onThought: (text: string) => void;
  readonly callTimes?: CallTimes | undefined;
};

export type Called =
  | { readonly kind: 'message'; readonly message: Message }
  /** The next call could pass a cap. */
  | { readonly kind: 'spent'; readonly message: string }
  | { readonly kind: 'failed'; readonly outcome: CallOutcome; readonly message: string };

type Failure = {
  readonly outcome: CallOutcome;
  readonly message: string;
  readonly retryAfterMs: number | null;
};

export type CallParams = Omit<MessageCreateParamsBase, 'model' | 'stream'>;

/**
 * Makes requests to one model for one study. Each is in the ledger before it is made, with what it can cost at most;
 * what fails in passing is tried again with growing waits.
 */
export class Caller {
  readonly #client: Anthropic;
  readonly #study: Study;
  readonly #settings: ModelSettings;
  readonly #price: Price | null;
  readonly #ports: CallerPorts;
  readonly #sittingBegan: number;

  constructor(
    study: Study,
    settings: ModelSettings,
    key: string | null,
    price: Price | null,
    ports: CallerPorts,
  ) {
    this.#study = study;
    this.#settings = settings;
    this.#price = price;
    this.#ports = ports;
    this.#sittingBegan = ports.now();
    this.#client = clientFor(settings, key);
  }

  /** Rejects with an AbortError when the signal is aborted. */
  async call(n: number, params: CallParams, signal: AbortSignal): Promise<Called> {
    const { onThought, callTimes = CALL_TIMES } = this.#ports;
    let waited = 0;
    for (let tries = 0; ; tries += 1) {
      const reserved = mostOf(this.#price, JSON.stringify(params).length, params.max_tokens);
      const cap = this.#findPassedCap(reserved ?? 0);
      if (cap !== null) return { kind: 'spent', message: cap };
      const result = await this.#request(n, params, reserved, signal);
      signal.throwIfAborted();
      if ('content' in result) return { kind: 'message', message: result };
      const pause = Math.max(Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS), result.retryAfterMs ?? 0);
      const isBroken = result.outcome === 'broken_stream' && tries + 1 >= MAX_BROKEN;
      if (!PASSING.includes(result.outcome) || isBroken || waited + pause > PATIENCE_MS) {
        return { kind: 'failed', ...result };
      }
      onThought(`${result.message} Trying again in ${Math.ceil(pause / 1000)} s.`);
      await callTimes.wait(pause, signal);
      waited += pause;
    }
  }

  #findPassedCap(next: number): string | null {
    const { study, sitting } = this.#settings.capUsd;
    const caps = [
      ['study', study, 0],
      ['sitting', sitting, this.#sittingBegan],
    ] as const;
    for (const [name, cap, since] of caps) {
      if (cap === null) continue;
      const spent = this.#ports.ledger.modelCalls.committedUsd(this.#study.id, since);
      if (spent + next > cap) {
        return `The cap of $${cap} for this ${name} does not allow another call: $${spent.toFixed(2)} are spent, and it could cost up to $${next.toFixed(2)}.`;
      }
    }
    return null;
  }

  async #request(
    n: number,
    params: CallParams,
    reservedUsd: number | null,
    signal: AbortSignal,
  ): Promise<Message | Failure> {
    const { ledger, now } = this.#ports;
    const { model } = this.#settings;
    const began = performance.now();
    const row = ledger.write(() =>
      ledger.modelCalls.begin(this.#study.id, {
        n,
        at: now(),
        proposer: proposerLabel(this.#settings),
        model,
        reservedUsd,
      }),
    );
    const sent = await this.#send(params, signal);
    const { failure, message, usage, requestId, hasAnswered } = sent;
    const tokens = tokensOf(usage);
    ledger.write(() =>
      ledger.modelCalls.end(row, {
        outcome: failure?.outcome ?? outcomeOf(message),
        message: failure?.message ?? null,
        requestId,
        tokens,
        // What was turned away costs nothing; of a stream that broke nobody knows what it took.
        costUsd: failure ? (hasAnswered || this.#price === null ? null : 0) : costOf(this.#price, tokens),
        seconds: (performance.now() - began) / 1000,
      }),
    );
    return (
      failure ?? message ?? { outcome: 'broken_stream', message: 'The answer is empty.', retryAfterMs: null }
    );
  }

  async #send(params: CallParams, signal: AbortSignal): Promise<Sent> {
    const silence = new AbortController();
    const { callTimes = CALL_TIMES, onThought } = this.#ports;
    const { silenceMs } = callTimes;
    let timer = setTimeout(() => silence.abort(), silenceMs);
    const stream = this.#client.messages.stream(
      { ...params, model: this.#settings.model },
      { signal: AbortSignal.any([signal, silence.signal]) },
    );
    let hasAnswered = false;
    stream.on('streamEvent', () => {
      hasAnswered = true;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
    });
    stream.on('thinking', (_, snapshot) => onThought(snapshot));
    stream.on('text', (_, snapshot) => onThought(snapshot));
    try {
      const message = await stream.finalMessage();
      if (!Array.isArray(message?.content)) throw new Error('the answer has no content');
      return {
        message,
        usage: message.usage,
        failure: null,
        requestId: stream.request_id ?? null,
        hasAnswered,
      };
    } catch (error) {
      return {
        message: null,
        usage: stream.currentMessage?.usage ?? null,
        failure: failureOf(error, {
          isSilent: silence.signal.aborted,
          isCancelled: signal.aborted,
          hasAnswered,
        }),
        requestId: stream.request_id ?? (error instanceof APIError ? (error.requestID ?? null) : null),
        hasAnswered,
      };
    } finally {
      clearTimeout(timer);
    }
  }
}

type Sent = {
  readonly message: Message | null;
  readonly usage: Usage | null;
  readonly failure: Failure | null;
  readonly requestId: string | null;
  /** Whether a stream had begun. */
  readonly hasAnswered: boolean;
};

/** Names everything the SDK would otherwise take from the environment or from files. */
export function clientFor(settings: Pick<ModelSettings, 'baseUrl'>, key: string | null): Anthropic {
  return new Anthropic({
    // A server that needs no key gets one that is none, so that the SDK does not look for another.
    apiKey: key ?? 'none',
    baseURL: settings.baseUrl ?? ANTHROPIC,
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
  });
}

function outcomeOf(message: Message | null): CallOutcome {
  if (message?.stop_reason === 'max_tokens') return 'truncated';
  if (message?.stop_reason === 'refusal') return 'refusal';
  return message?.stop_reason === 'model_context_window_exceeded' ? 'too_large' : 'ok';
}

function tokensOf(usage: Usage | null): CallTokens {
  return {
    input: usage?.input_tokens ?? null,
    cacheRead: usage?.cache_read_input_tokens ?? null,
    cacheWrite: usage?.cache_creation_input_tokens ?? null,
    output: usage?.output_tokens ?? null,
  };
}

/** What went wrong, in Pawl's words with the server's behind them. */
export function failureOf(
  error: unknown,
  state: { readonly isSilent: boolean; readonly isCancelled: boolean; readonly hasAnswered: boolean },
): Failure {
  const fail = (outcome: CallOutcome, words: string, retryAfterMs: number | null = null): Failure => {
    const said = error instanceof APIError ? error.apiMessage : null;
    const detail = said ?? (error instanceof Error ? error.message : String(error));
    return { outcome, message: `${words}: ${detail.slice(0, MESSAGE_CHARACTERS)}`, retryAfterMs };
  };
  if (state.isCancelled) return fail('cancelled', 'Stopped');
  if (state.isSilent || error instanceof APIConnectionTimeoutError) {
    return fail('timeout', 'The server fell silent');
  }
  if (error instanceof APIUserAbortError) return fail('cancelled', 'Stopped');
  if (!(error instanceof APIError)) return fail('broken_stream', 'The answer broke off');
  if (error instanceof APIConnectionError && !state.hasAnswered) {
    return fail('connection', 'The server cannot be reached');
  }
  const { status, type } = error;
  const says = error.apiMessage ?? '';
  if (status === 429 || type === 'rate_limit_error') {
    return fail('rate_limited', 'The server asks to slow down', retryAfter(error.headers));
  }
  if (status === 529 || type === 'overloaded_error') return fail('overloaded', 'The server is overloaded');
  if (status === 401 || status === 402 || status === 403) {
    return fail('unauthorized', 'The server does not accept the key');
  }
  if (status === 413 || (status === 400 && /too long|too large|context/i.test(says))) {
    return fail('too_large', 'The request is too large');
  }
  if (status === 408 || status === 409 || (status !== undefined && status >= 500) || type === 'api_error') {
    return fail('server_error', 'The server failed', retryAfter(error.headers));
  }
  if (status !== undefined && status >= 400) return fail('bad_request', 'The server refuses the request');
  return fail('broken_stream', 'The answer broke off');
}

/** Seconds or a date, as HTTP allows; null where it is neither. */
function retryAfter(headers: Headers | undefined): number | null {
  const value = headers?.get('retry-after');
  if (!value) return null;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds : null;
}
