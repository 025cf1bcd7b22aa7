import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { TRAINING } from '../../shared/model-calls.ts';
import type { Study } from '../../shared/study.ts';
import { type ProposerSurroundings, readKey } from '../proposers/create-proposer.ts';
import { Caller, type CallTimes } from '../proposers/model/caller.ts';
import { readPrices } from '../proposers/model/prices.ts';
import type { ModelAccess } from '../sandbox/model-access.ts';
import { makeScratch, removeScratch } from '../scratch.ts';
import type { Ledger } from '../store/ledger.ts';
import { Answers, type Denial } from './answers.ts';
import { type AskSettings, askSettings } from './ask-settings.ts';
import { MessagesServer } from './messages-server.ts';

/** Of one run. */
const MAX_QUESTIONS = 50_000;

export type AskedModelPorts = ProposerSurroundings & {
  readonly ledger: Ledger;
  /** Folder for what need not outlive the engine; the path of a socket in it has to be short. */
  readonly scratch: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly callTimes?: CallTimes | undefined;
};

/**
 * The model that a study's contract lets its trainings ask, for one sitting. The key stays here: what runs gets a token
 * that is good while it runs.
 */
export class AskedModel {
  readonly #study: Study;
  readonly #settings: AskSettings;
  readonly #ports: AskedModelPorts;
  readonly #caller: Caller;
  #access: ModelAccess | null = null;

  private constructor(study: Study, settings: AskSettings, ports: AskedModelPorts) {
    this.#study = study;
    this.#settings = settings;
    this.#ports = ports;
    this.#caller = new Caller(study, settings.settings, settings.price, {
      ...{ ledger: ports.ledger, now: ports.now, callTimes: ports.callTimes, label: TRAINING },
      onThought: () => {},
      readPrices: () => readPrices(ports.home),
      readKey: () => readKey(settings.settings, ports),
      // What trains is to end well, also where the user wants a pause behind it.
      hasWish: () => false,
    });
  }

  /** Null where the contract names none. Rejects with `proposer_invalid` where it cannot be asked. */
  static async open(study: Study, ports: AskedModelPorts): Promise<AskedModel | null> {
    const settings = await askSettings(study, ports);
    return settings && new AskedModel(study, settings, ports);
  }

  /** Where what runs now finds the model; null where nothing runs. */
  get access(): ModelAccess | null {
    return this.#access;
  }

  /** A run's environment without what holds the key, by whatever name the contract lets it in. */
  async withoutKey(environment: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
    const key = await readKey(this.#settings.settings, this.#ports).catch(() => null);
    if (key === null) return environment;
    return Object.fromEntries(Object.entries(environment).filter(([, value]) => !value.includes(key)));
  }

  /**
   * Answers while the work lasts: a training, the command of its metric, its checks. One at a time.
   * @param n the experiment whose calls they are
   */
  async during<T>(
    n: number,
    work: () => Promise<T>,
  ): Promise<{ readonly value: T; readonly denial: Denial | null }> {
    const { ledger, now, scratch } = this.#ports;
    const { model } = this.#settings.settings;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#ports.signal, over.signal]);
    const answers = new Answers({
      ...this.#settings,
      ...{ study: this.#study, n, caller: this.#caller, ledger, now, signal },
    });
    const token = `pawl-${randomBytes(32).toString('hex')}`;
    const server = new MessagesServer({
      ...{ model, token, maxQuestions: MAX_QUESTIONS },
      answer: question => answers.answer(question),
    });
    const folder = await makeScratch(scratch, 'model');
    try {
      const socket = join(folder, 'socket');
      // Only who gets through the folder comes here, and whom a jail lets in, who may be somebody else.
      await server.listen({ path: socket, readableAll: true, writableAll: true });
      let port: Promise<number> | null = null;
      const openPort = () => {
        port ??= server.listen({ host: '127.0.0.1', port: 0 });
        return port;
      };
      this.#access = { model, token, socket, openPort };
      return { value: await work(), denial: answers.denial };
    } finally {
      this.#access = null;
      over.abort(new DOMException('the run is over', 'AbortError'));
      await server.close();
      await removeScratch(folder);
    }
  }
}
