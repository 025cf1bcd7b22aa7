import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { TRAINING } from '../../shared/proposers/model-calls.ts';
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

/** Per run. */
const MAX_QUESTIONS = 50_000;

export type AskedModelPorts = ProposerSurroundings & {
  readonly ledger: Ledger;
  /** A folder for short-lived files; a socket's path in it has to be short. */
  readonly scratch: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly callTimes?: CallTimes | undefined;
};

/**
 * The model that a study's contract lets its trainings ask, for one sitting. The key stays here: a run gets a token
 * that is valid while it runs.
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
      // Let the training finish well, even if the user has asked for a pause after it.
      hasWish: () => false,
    });
  }

  /** Null if the contract names no model. Rejects with `proposer_invalid` if the model cannot be asked. */
  static async open(study: Study, ports: AskedModelPorts): Promise<AskedModel | null> {
    const settings = await askSettings(study, ports);
    return settings && new AskedModel(study, settings, ports);
  }

  /** Where the current run finds the model; null if nothing runs. */
  get access(): ModelAccess | null {
    return this.#access;
  }

  /** A run's environment without the variable that holds the key, whatever its name. */
  async withoutKey(environment: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
    const key = await readKey(this.#settings.settings, this.#ports).catch(() => null);
    if (key === null) return environment;
    return Object.fromEntries(Object.entries(environment).filter(([, value]) => !value.includes(key)));
  }

  /**
   * Answers questions during `work`: a training, its metric command, its checks. One at a time.
   * @param n the experiment that the calls belong to
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
      // The folder's permissions keep others out; a jailed program, which may run as another user, gets the socket
      // alone.
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
