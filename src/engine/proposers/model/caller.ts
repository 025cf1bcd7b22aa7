import { setTimeout as delay } from 'node:timers/promises';
import { APIError } from '@anthropic-ai/sdk';
import type { Message, MessageCreateParamsBase, Usage } from '@anthropic-ai/sdk/resources/messages';
import type { CallOutcome, CallTokens } from '../../../shared/model-calls.ts';
import type { ModelSettings } from '../../../shared/proposers.ts';
import type { Study } from '../../../shared/study.ts';
import type { Ledger } from '../../store/ledger.ts';
import { describeOther, describeRefusal, otherModel } from './answer-words.ts';
import { clientFor } from './client-for.ts';
import { type Failure, failureOf } from './failure-of.ts';
import { costOf, mostOf, type Price, type Prices } from './prices.ts';

/** No answer takes longer; a server could ping for ever. */
const LONGEST_CALL_MS = 1_800_000;
const FIRST_WAIT_MS = 1_000;
/** Maximum delay before a stop request is noticed. */
const LONGEST_WAIT_MS = 60_000;
/** An outage this long is for the user to look at; the loop asks again now and then. */
const PATIENCE_MS = 600_000;
/** What went wrong after the answer had begun may have cost its price each time. */
const MAX_COSTLY = 3;

/** Trouble that passes by itself: the same request is worth making again. */
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
  /** A server that sends not a byte for this long is dead; while it works it sends pings. */
  readonly silenceMs: number;
};

const CALL_TIMES: CallTimes = {
  wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
  silenceMs: 120_000,
};

export type CallerPorts = {
  readonly ledger: Ledger;
  /** Who asks, in the ledger. */
  readonly label: string;
  readonly now: () => number;
  /** Prices of other models that may answer instead of the requested one; read for each call. */
  readonly readPrices: () => Promise<Prices>;
  /** Told what the model thinks, that it declined or another answers, and why there is a wait. */
  readonly onThought: (text: string) => void;
  /** Read for each call, so that a corrected key takes effect at once. Rejects if there is none. */
  readonly readKey: () => Promise<string | null>;
  /** Whether the user wants the sitting to pause or stop: then nothing is waited for. */
  readonly hasWish: () => boolean;
  readonly callTimes?: CallTimes | undefined;
};

export type Called =
  | { readonly kind: 'message'; readonly message: Message }
  /** The next call could pass a cap. */
  | { readonly kind: 'spent'; readonly message: string }
  | { readonly kind: 'failed'; readonly outcome: CallOutcome; readonly message: string };

export type CallParams = Omit<MessageCreateParamsBase, 'model' | 'stream'>;

/** What a call may cost, and what it is. */
type Ask = {
  /** Of other models that may answer. */
  readonly prices: Prices;
  readonly params: CallParams;
  readonly promptBytes: number;
  readonly reservedUsd: number | null;
};

/**
 * Makes requests to one model for one study. Each is in the ledger before it is made, with what it can cost at most, whichever
 * of the models answers that have done so; what fails in passing is tried again with growing waits. Which model answers is
 * told only when the answer begins: a dearer one that is new is reserved for then, and ended where that could pass a cap.
 */
export class Caller {
  readonly #study: Study;
  readonly #settings: ModelSettings;
  readonly #price: Price | null;
  readonly #ports: CallerPorts;
  /** The newest call when the sitting began. */
  readonly #before: number;
  /** The models that have answered instead of the requested one, by name. */
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
   * @param hiddenBytes of text that is worth the tokens the server counts and the request does not show: of images, say
   */
  async call(n: number, params: CallParams, signal: AbortSignal, hiddenBytes = 0): Promise<Called> {
    const { onThought, hasWish, callTimes = CALL_TIMES } = this.#ports;
    let waited = 0;
    let costly = 0;
    for (let tries = 0; ; tries += 1) {
      const promptBytes = Buffer.byteLength(JSON.stringify(params)) + hiddenBytes;
      const reservedUsd = this.#most(params, promptBytes);
      // A table of prices that broke meanwhile is no reason to lose an answer.
      const prices = await this.#ports.readPrices().catch(() => () => null);
      // Nothing is awaited between this and the reservation: another lane may ask as well.
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

  /** Null where the model that is asked has no price: then there is no cap either. */
  #most({ max_tokens: maxTokens }: CallParams, promptBytes: number): number | null {
    const asked = mostOf(this.#price, promptBytes, maxTokens);
    const others = [...this.#otherPrices.values()].map(price => mostOf(price, promptBytes, maxTokens) ?? 0);
    return asked === null ? null : Math.max(asked, ...others);
  }

  /**
   * @param next what a call could cost
   * @param reserved what of that is reserved already
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
        return `The cap of $${cap} for this ${name} does not allow another call: $${spent.toFixed(2)} has been spent, and it could cost up to $${next.toFixed(2)}.`;
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
      // A gateway's own name for the same model has no price, and a cap is kept all the same.
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
      // Its prompt alone may have cost more than was reserved.
      if (isTooDear) ledger.modelCalls.reserve(row, Math.max(ask.reservedUsd ?? 0, cost ?? 0));
    });
    return isTooDear ? { kind: 'spent', message: said } : (failure ?? message);
  }

  /** Another model answers. Returns why it may not, where it could pass a cap; else what it can cost is reserved. */
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

/** What a server calls a count may be anything. */
function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null;
}
