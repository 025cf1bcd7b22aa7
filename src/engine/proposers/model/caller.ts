import { setTimeout as delay } from 'node:timers/promises';
import { APIError } from '@anthropic-ai/sdk';
import type { Message, MessageCreateParamsBase, Usage } from '@anthropic-ai/sdk/resources/messages';
import { formatUsd } from '../../../shared/numbers.ts';
import type { CallOutcome, CallTokens } from '../../../shared/proposers/model-calls.ts';
import type { ModelSettings } from '../../../shared/proposers/proposers.ts';
import type { Study } from '../../../shared/study.ts';
import type { Ledger } from '../../store/ledger.ts';
import { describeOther, describeRefusal, otherModel } from './answer-words.ts';
import { clientFor } from './client-for.ts';
import { type Failure, failureOf } from './failure-of.ts';
import { costOf, mostOf, type Price, type Prices } from './prices.ts';

/** No answer takes longer, but a server could send pings for ever. */
const LONGEST_CALL_MS = 1_800_000;
const FIRST_WAIT_MS = 1_000;
/** Maximum delay before a stop request is noticed. */
const LONGEST_WAIT_MS = 60_000;
/** After an outage this long, the user has to look; the loop still asks from time to time. */
const PATIENCE_MS = 600_000;
/** How many calls may fail after the answer has begun, because each may have cost its full price. */
const MAX_COSTLY = 3;

/** Temporary trouble: the same request is worth repeating. */
const PASSING: readonly CallOutcome[] = [
  'rate_limited',
  'overloaded',
  'server_error',
  'timeout',
  'connection',
  'broken_stream',
  'bad_tool_input',
];

export type CallTimes = {
  /** Waits between two tries. Rejects when the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** After this long without a byte, a server counts as dead; a working one sends pings. */
  readonly silenceMs: number;
};

const CALL_TIMES: CallTimes = {
  wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
  silenceMs: 120_000,
};

export type CallerPorts = {
  readonly ledger: Ledger;
  /** The caller's name in the ledger. */
  readonly label: string;
  readonly now: () => number;
  /** Prices of other models that may answer instead of the requested one; read at each call. */
  readonly readPrices: () => Promise<Prices>;
  /** Called with the model's thoughts, with why it declined, with another model's name, and with the reason for a wait. */
  readonly onThought: (text: string) => void;
  /** Read at each call, so that a corrected key takes effect at once. Rejects if there is none. */
  readonly readKey: () => Promise<string | null>;
  /** Whether the user wants the sitting to pause or stop; then the caller does not wait. */
  readonly hasWish: () => boolean;
  readonly callTimes?: CallTimes | undefined;
};

export type Called =
  | { readonly kind: 'message'; readonly message: Message }
  /** The next call could exceed a spending limit. */
  | { readonly kind: 'spent'; readonly message: string }
  | { readonly kind: 'failed'; readonly outcome: CallOutcome; readonly message: string };

export type CallParams = Omit<MessageCreateParamsBase, 'model' | 'stream'>;

/** A request and its highest cost. */
type Ask = {
  /** Prices of other models that may answer. */
  readonly prices: Prices;
  readonly params: CallParams;
  readonly promptBytes: number;
  readonly reservedUsd: number | null;
};

/**
 * Sends requests to one model for one study. The ledger has each call before it is made, with its highest possible
 * cost for any model that has answered before; temporary failures are retried with growing waits. Only when an answer
 * begins is it known which model answers: for a new and dearer one, the highest cost is raised then, or the call is
 * ended if that could exceed a limit.
 */
export class Caller {
  readonly #study: Study;
  readonly #settings: ModelSettings;
  readonly #price: Price | null;
  readonly #ports: CallerPorts;
  /** The newest call when the sitting began. */
  readonly #before: number;
  /** Models that answered instead of the requested one, by name. */
  readonly #otherPrices = new Map<string, Price>();

  constructor(study: Study, settings: ModelSettings, price: Price | null, ports: CallerPorts) {
    this.#study = study;
    this.#settings = settings;
    this.#price = price;
    this.#ports = ports;
    this.#before = ports.ledger.modelCalls.newest();
  }

  /**
   * Rejects with an AbortError when the signal is aborted.
   * @param hiddenBytes how many bytes of text are worth the tokens that the request does not show, for instance those
   * of images
   */
  async call(n: number, params: CallParams, signal: AbortSignal, hiddenBytes = 0): Promise<Called> {
    const { onThought, hasWish, callTimes = CALL_TIMES } = this.#ports;
    let waited = 0;
    let costly = 0;
    for (let tries = 0; ; tries += 1) {
      const promptBytes = Buffer.byteLength(JSON.stringify(params)) + hiddenBytes;
      const reservedUsd = this.#most(params, promptBytes);
      // If the user's price table is broken now, the answer still counts.
      const prices = await this.#ports.readPrices().catch(() => () => null);
      // No `await` from here to the reservation, because another lane may be calling too.
      const cap = this.#findPassedCap(reservedUsd ?? 0);
      if (cap !== null) return { kind: 'spent', message: cap };
      const result = await this.#request(n, { params, promptBytes, reservedUsd, prices }, signal);
      signal.throwIfAborted();
      if ('content' in result) return { kind: 'message', message: result };
      if ('kind' in result) return result;
      const pause = Math.max(Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS), result.retryAfterMs ?? 0);
      costly = result.isTurnedAway ? 0 : costly + 1;
      const isHopeless = !PASSING.includes(result.outcome) || costly >= MAX_COSTLY;
      if (isHopeless || waited + pause > PATIENCE_MS || hasWish()) return { kind: 'failed', ...result };
      onThought(`${result.message} Trying again in ${Math.ceil(pause / 1000)} s.`);
      await callTimes.wait(pause, signal);
      waited += pause;
    }
  }

  /** Null if the requested model has no price; then there is no limit either. */
  #most({ max_tokens: maxTokens }: CallParams, promptBytes: number): number | null {
    const asked = mostOf(this.#price, promptBytes, maxTokens);
    const others = [...this.#otherPrices.values()].map(price => mostOf(price, promptBytes, maxTokens) ?? 0);
    return asked === null ? null : Math.max(asked, ...others);
  }

  /**
   * @param next the highest cost of the next call
   * @param reserved how much of that is already reserved
   */
  #findPassedCap(next: number, reserved = 0): string | null {
    const { study, sitting } = this.#settings.capUsd;
    const caps = [
      ['study', study, 0],
      ['sitting', sitting, this.#before],
    ] as const;
    for (const [name, cap, since] of caps) {
      if (cap === null) continue;
      const spent = this.#ports.ledger.modelCalls.committedUsd(this.#study.id, since) - reserved;
      if (spent + next > cap) {
        return `The cap of $${cap} for this ${name} does not allow another call: ${formatUsd(spent)} has been spent, and it could cost up to ${formatUsd(next)}.`;
      }
    }
    return null;
  }

  async #request(
    n: number,
    ask: Ask,
    signal: AbortSignal,
  ): Promise<Message | Failure | Extract<Called, { kind: 'spent' }>> {
    const { ledger, now, onThought } = this.#ports;
    const { prices } = ask;
    const { model } = this.#settings;
    const began = performance.now();
    const row = ledger.write(() =>
      ledger.modelCalls.begin(this.#study.id, {
        ...{ n, at: now(), proposer: this.#ports.label, model, reservedUsd: ask.reservedUsd },
      }),
    );
    const tooDear = new AbortController();
    const heard: { notice: string | null; price: Price | null; cap: string | null } = {
      // A gateway's own name for the same model has no price, but the limit still holds.
      ...{ notice: null, price: this.#price, cap: null },
    };
    const onOther = (other: string, notice: string) => {
      const price = prices(other);
      heard.notice = notice;
      if (price === null) return;
      heard.price = price;
      this.#otherPrices.set(other, price);
      heard.cap = this.#reserveFor(row, ask);
      if (heard.cap !== null) tooDear.abort();
    };
    const sent = await this.#send(ask.params, AbortSignal.any([signal, tooDear.signal]), onOther);
    const { failure, message, usage, requestId } = sent;
    const tokens = tokensOf(usage);
    const refusal = message && describeRefusal(message);
    if (refusal !== null) onThought(refusal);
    const said = [heard.notice, heard.cap, refusal].filter(words => words !== null).join(' ');
    const isTooDear = failure !== null && heard.cap !== null;
    const cost = costOf(heard.price, tokens);
    ledger.write(() => {
      ledger.modelCalls.end(row, {
        outcome: failure ? failure.outcome : outcomeOf(message),
        message: (isTooDear ? null : failure?.message) ?? (said || null),
        requestId,
        tokens,
        // A rejected call costs nothing; the cost of a broken stream is unknown.
        costUsd: failure ? (failure.isTurnedAway && this.#price ? 0 : null) : cost,
        seconds: (performance.now() - began) / 1000,
      });
      // Its prompt alone may have cost more than what was reserved.
      if (isTooDear) ledger.modelCalls.reserve(row, Math.max(ask.reservedUsd ?? 0, cost ?? 0));
    });
    return isTooDear ? { kind: 'spent', message: said } : (failure ?? message);
  }

  /** Another model answers: reserves its highest cost, or returns why it may not answer if that could exceed a limit. */
  #reserveFor(row: number, { params, promptBytes, reservedUsd }: Ask): string | null {
    if (reservedUsd === null) return null;
    const most = this.#most(params, promptBytes) ?? 0;
    if (most <= reservedUsd) return null;
    const cap = this.#findPassedCap(most, reservedUsd);
    if (cap !== null) return cap;
    const { ledger } = this.#ports;
    ledger.write(() => ledger.modelCalls.reserve(row, most));
    return null;
  }

  /** @param onOther called with the model that answers if it is not the requested one, and a sentence saying so */
  async #send(
    params: CallParams,
    signal: AbortSignal,
    onOther: (model: string, notice: string) => void,
  ): Promise<Sent> {
    const { callTimes = CALL_TIMES, onThought, readKey } = this.#ports;
    let key: string | null;
    try {
      key = await readKey();
    } catch (error) {
      const { message } = error as Error;
      const failure: Failure = { outcome: 'unauthorized', message, retryAfterMs: null, isTurnedAway: true };
      return { message: null, usage: null, failure, requestId: null };
    }
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), callTimes.silenceMs);
    const limit = setTimeout(() => silence.abort(), LONGEST_CALL_MS);
    let isOver = false;
    const listen = () => {
      clearTimeout(timer);
      if (isOver) return;
      timer = setTimeout(() => silence.abort(), callTimes.silenceMs);
    };
    const stream = clientFor(this.#settings, key, listen).messages.stream(
      { ...params, model: this.#settings.model },
      { signal: AbortSignal.any([signal, silence.signal]) },
    );
    let notice = '';
    const think = (thought: string) => onThought([thought, notice].filter(Boolean).join('\n\n'));
    stream.on('streamEvent', event => {
      if (event.type !== 'message_start') return;
      const other = otherModel(this.#settings.model, event.message?.model);
      if (other === null) return;
      notice = describeOther(this.#settings.model, other);
      onOther(other, notice);
      think('');
    });
    stream.on('thinking', (_, snapshot) => think(snapshot));
    stream.on('text', (_, snapshot) => think(snapshot));
    try {
      const message = await stream.finalMessage();
      if (!Array.isArray(message?.content)) throw new Error('the answer has no content');
      return { message, usage: message.usage, failure: null, requestId: stream.request_id ?? null };
    } catch (error) {
      return {
        message: null,
        usage: stream.currentMessage?.usage ?? null,
        failure: failureOf(error, { isSilent: silence.signal.aborted, isCancelled: signal.aborted, key }),
        requestId: stream.request_id ?? (error instanceof APIError ? (error.requestID ?? null) : null),
      };
    } finally {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(limit);
    }
  }
}

type Sent = { readonly usage: Usage | null; readonly requestId: string | null } & (
  | { readonly message: Message; readonly failure: null }
  | { readonly message: null; readonly failure: Failure }
);

function outcomeOf({ stop_reason: reason }: Message): CallOutcome {
  if (reason === 'max_tokens') return 'truncated';
  if (reason === 'refusal') return 'refusal';
  return reason === 'model_context_window_exceeded' ? 'too_large' : 'ok';
}

function tokensOf(usage: Usage | null): CallTokens {
  return {
    input: countOf(usage?.input_tokens),
    cacheRead: countOf(usage?.cache_read_input_tokens),
    cacheWrite: countOf(usage?.cache_creation_input_tokens),
    output: countOf(usage?.output_tokens),
  };
}

/** A server's count may be any value. */
function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null;
}
