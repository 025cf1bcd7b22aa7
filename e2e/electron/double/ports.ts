import { type Faithful, hold } from './faithful.ts';
import { StrictEmitter, strict } from './strict.ts';
import type { PortData } from './worlds.ts';

/** The other end of a port, in any process. */
export type Remote = { send(data: unknown): void; close(): void };

/** A port in the main process. As in Electron, messages wait until `start` is called. */
class Port extends StrictEmitter {
  readonly #remote: Remote;
  readonly #state: PortState;

  constructor(remote: Remote, state: PortState) {
    super('MessagePortMain');
    this.#remote = remote;
    this.#state = state;
  }

  start(): void {
    this.#state.isStarted = true;
    for (const data of this.#state.waiting.splice(0)) this.emit('message', { data, ports: [] });
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (transfer.length > 0) throw new Error('the double sends no ports from the main process');
    if (!this.#state.isClosed) this.#remote.send(message);
  }

  close(): void {
    if (this.#state.isClosed) return;
    this.#state.isClosed = true;
    this.#remote.close();
    setImmediate(() => this.emit('close'));
  }
}
type PortState = { isStarted: boolean; isClosed: boolean; waiting: unknown[] };
hold<Faithful<Port, Electron.MessagePortMain>>();

/** A port, and the functions by which its other end delivers messages and closes it. */
export type OpenPort = { readonly port: Port; receive(data: unknown): void; closed(): void };

export function openPort(remote: Remote): OpenPort {
  const state: PortState = { isStarted: false, isClosed: false, waiting: [] };
  const port = strict('MessagePortMain', new Port(remote, state));
  return {
    port,
    receive(data) {
      if (state.isClosed) return;
      if (state.isStarted) port.emit('message', { data, ports: [] });
      else state.waiting.push(data);
    },
    closed() {
      if (state.isClosed) return;
      state.isClosed = true;
      port.emit('close');
    },
  };
}

/** Two ports that are connected to each other. */
export class MessageChannelMain {
  readonly port1: Port;
  readonly port2: Port;

  constructor() {
    const first: OpenPort = openPort({
      send: data => setImmediate(() => second.receive(data)),
      close: () => setImmediate(() => second.closed()),
    });
    const second: OpenPort = openPort({
      send: data => setImmediate(() => first.receive(data)),
      close: () => setImmediate(() => first.closed()),
    });
    this.port1 = first.port;
    this.port2 = second.port;
  }
}
hold<Faithful<Pick<MessageChannelMain, never>, Electron.MessageChannelMain>>();

export function encodePortData(data: unknown): PortData {
  if (typeof data === 'string') return { kind: 'text', text: data };
  if (data instanceof Uint8Array || data instanceof ArrayBuffer) {
    return { kind: 'bytes', base64: Buffer.from(data as Uint8Array).toString('base64') };
  }
  return { kind: 'json', json: JSON.stringify(data) ?? 'null' };
}

export function decodePortData(data: PortData): unknown {
  switch (data.kind) {
    case 'text':
      return data.text;
    case 'json':
      return JSON.parse(data.json);
    case 'bytes': {
      const bytes = Buffer.from(data.base64, 'base64');
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }
  }
}
