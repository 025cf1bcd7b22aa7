import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Message } from '@anthropic-ai/sdk/resources/messages';
import { type CallOutcome, TRAINING } from '../../shared/proposers/model-calls.ts';
import type { Study } from '../../shared/study.ts';
import type { Called, Caller } from '../proposers/model/caller.ts';
import type { Ledger } from '../store/ledger.ts';
import type { AskSettings } from './ask-settings.ts';
import type { Question, Refusal } from './read-question.ts';

/** How many calls to the server run at the same time; further ones wait. */
const AT_ONCE = 8;
/** All kept questions and answers of a study, compressed. */
const MAX_KEPT_BYTES = 512 * 1024 ** 2;

/** Why a run got no answer through no fault of its code. */
export type Denial = { readonly kind: 'spent' | 'failed'; readonly message: string };

export type Answered = { readonly message: Message; readonly isKept: boolean };

export type AnswersInput = AskSettings & {
  readonly study: Study;
  readonly n: number;
  readonly caller: Caller;
  readonly ledger: Ledger;
  readonly now: () => number;
  /** Aborts calls in flight. */
  readonly signal: AbortSignal;
};

/** Failures that the question itself caused. */
const OF_THE_QUESTION: readonly CallOutcome[] = ['bad_request', 'too_large', 'bad_tool_input'];

/** Answers the questions of one run: from the study's kept answers, or by a paid call. */
export class Answers {
  readonly #input: AnswersInput;
  /** By digest: two equal questions at the same time make one call. */
  readonly #underWay = new Map<string, Promise<Answered | Refusal>>();
  readonly #waiting: (() => void)[] = [];
  #calls = 0;
  /** The size of what the study has kept; null until it is counted. */
  #keptBytes: number | null = null;
  #denial: Denial | null = null;

  constructor(input: AnswersInput) {
    this.#input = input;
  }

  /** Why a question first got no answer; null if all did. */
  get denial(): Denial | null {
    return this.#denial;
  }

  /** Rejects with an AbortError when the run is over, and where the ledger cannot be written. */
  async answer({ params, hiddenBytes }: Question): Promise<Answered | Refusal> {
    const { study, settings, ledger, now, n } = this.#input;
    const text = JSON.stringify(params);
    const digest = createHash('sha256')
      .update(JSON.stringify([settings.baseUrl, settings.model, text]))
      .digest('hex');
    const kept = ledger.modelAnswers.find(study.id, digest);
    if (kept) {
      const call = { n, at: now(), proposer: TRAINING, model: settings.model };
      ledger.later(() => ledger.modelCalls.answerKept(study.id, call));
      return { message: JSON.parse((await promisify(gunzip)(kept)).toString()) as Message, isKept: true };
    }
    const same = this.#underWay.get(digest);
    if (same) return same;
    const call = this.#ask(digest, text, { params, hiddenBytes }).finally(() =>
      this.#underWay.delete(digest),
    );
    this.#underWay.set(digest, call);
    return call;
  }

  async #ask(
    digest: string,
    text: string,
    { params, hiddenBytes }: Pick<Question, 'params' | 'hiddenBytes'>,
  ): Promise<Answered | Refusal> {
    const { study, ledger, caller, now, n, signal } = this.#input;
    this.#keptBytes ??= ledger.modelAnswers.bytes(study.id);
    if (this.#keptBytes > MAX_KEPT_BYTES) {
      const message = `This study has kept ${MAX_KEPT_BYTES} bytes of answers; Pawl asks no more questions for it.`;
      return { status: 400, type: 'invalid_request_error', message };
    }
    const packed = await promisify(gzip)(text);
    await this.#turn();
    let called: Called;
    try {
      signal.throwIfAborted();
      ledger.write(() => ledger.modelAnswers.ask(study.id, digest, packed, now()));
      called = await caller.call(n, params, signal, hiddenBytes);
    } finally {
      this.#calls -= 1;
      this.#waiting.shift()?.();
    }
    if (called.kind !== 'message') return this.#refuse(called);
    const message = plain(called.message);
    const answer = await promisify(gzip)(JSON.stringify(message));
    ledger.write(() => ledger.modelAnswers.answer(study.id, digest, answer));
    this.#keptBytes += packed.length + answer.length;
    return { message, isKept: false };
  }

  /** Resolves when another call may be made. */
  async #turn(): Promise<void> {
    while (this.#calls >= AT_ONCE) await new Promise<void>(resolve => this.#waiting.push(resolve));
    this.#calls += 1;
  }

  #refuse(called: Exclude<Called, { kind: 'message' }>): Refusal {
    const { message } = called;
    if (called.kind === 'spent') {
      this.#denial ??= { kind: 'spent', message };
      return { status: 402, type: 'billing_error', message };
    }
    const { outcome } = called;
    if (!OF_THE_QUESTION.includes(outcome)) this.#denial ??= { kind: 'failed', message };
    return { ...statusOf(outcome), message };
  }
}

/** The status and type that the API would answer. */
function statusOf(outcome: CallOutcome): Pick<Refusal, 'status' | 'type'> {
  switch (outcome) {
    case 'too_large':
      return { status: 413, type: 'request_too_large' };
    case 'bad_request':
    case 'bad_tool_input':
      return { status: 400, type: 'invalid_request_error' };
    case 'rate_limited':
      return { status: 429, type: 'rate_limit_error' };
    case 'overloaded':
      return { status: 529, type: 'overloaded_error' };
    case 'unauthorized':
      return { status: 401, type: 'authentication_error' };
    default:
      return { status: 500, type: 'api_error' };
  }
}

/** The answer without the fields that the SDK adds. */
function plain(message: Message): Message {
  const strip = <T extends object>(value: T): T => {
    const { parsed_output: _, ...rest } = value as T & { parsed_output?: unknown };
    return rest as T;
  };
  const content = message.content.filter(block => typeof block?.type === 'string');
  return {
    ...strip(message),
    content: content.map(block => (block.type === 'text' ? strip(block) : block)),
  };
}
