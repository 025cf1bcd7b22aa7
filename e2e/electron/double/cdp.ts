import { WebSocket } from 'ws';
import type { Protocol } from '../../../node_modules/playwright-core/types/protocol.d.ts';

export type { Protocol };

type Commands = Protocol.CommandParameters;
type Events = Protocol.Events;
type Answer = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
};

/** A connection to a Chromium and the sessions on it. Once the connection is closed, commands reject. */
export class Cdp {
  readonly #socket: WebSocket;
  #next = 1;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }
  >();
  readonly #listeners = new Map<string, ((params: never) => void)[]>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', data => this.#receive(JSON.parse(String(data)) as Answer));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium is gone'));
      this.#waiting.clear();
    });
  }

  static connect(address: string): Promise<Cdp> {
    const socket = new WebSocket(address, { perMessageDeflate: false, maxPayload: 512 * 1024 * 1024 });
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new Cdp(socket)));
      socket.once('error', reject);
    });
  }

  send<M extends keyof Commands & keyof Protocol.CommandReturnValues>(
    method: M,
    params?: Commands[M],
    sessionId?: string,
  ): Promise<Protocol.CommandReturnValues[M]> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Error('Chromium is gone'));
        return;
      }
      this.#waiting.set(id, {
        resolve,
        reject: error => reject(new Error(`${method}: ${error.message}`)),
      });
      this.#socket.send(
        JSON.stringify({ id, method, params: params ?? {}, ...(sessionId ? { sessionId } : {}) }),
      );
    });
  }

  /** Listens for an event of one session, or of the browser itself if no session is given. */
  on<E extends keyof Events>(event: E, listener: (params: Events[E]) => void, sessionId = ''): void {
    const key = `${sessionId}/${event}`;
    this.#listeners.set(key, [...(this.#listeners.get(key) ?? []), listener as (params: never) => void]);
  }

  close(): void {
    this.#socket.close();
  }

  #receive(answer: Answer): void {
    if (answer.id === undefined) {
      const listeners = this.#listeners.get(`${answer.sessionId ?? ''}/${answer.method}`) ?? [];
      for (const listener of listeners) listener(answer.params as never);
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error) waiting?.reject(new Error(answer.error.message));
    else waiting?.resolve(answer.result as never);
  }
}
