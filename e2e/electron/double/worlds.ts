/**
 * The two scripts that the double puts into every page. One runs the preload in its own JavaScript world; the other
 * makes what the preload exposes available in the page's world. As in Electron, the worlds share only the document, so
 * every value is copied: plain values by structured clone, and functions as wrappers that call the original. Passing a
 * promise or a class throws, and so does exposing something after the preload has run.
 *
 * The text of these functions is sent to the page, so they must not refer to anything outside themselves.
 */

/** A message from the preload's world to the main process. */
export type FromPage =
  | {
      readonly type: 'ipc';
      readonly channel: string;
      readonly args: readonly unknown[];
      readonly ports: number[];
    }
  | { readonly type: 'port'; readonly id: number; readonly data: PortData }
  | { readonly type: 'port-closed'; readonly id: number };

/** A message from the main process to the preload's world. */
export type ToPage =
  | { readonly type: 'ipc'; readonly channel: string; readonly args: readonly unknown[] }
  | { readonly type: 'port'; readonly id: number; readonly data: PortData }
  | { readonly type: 'port-closed'; readonly id: number }
  /** The paths of the files that the test will drop. */
  | { readonly type: 'files'; readonly paths: readonly string[] };

/** A message through a port: a text, bytes as base64, or anything else as JSON. */
export type PortData =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly base64: string }
  | { readonly kind: 'json'; readonly json: string };

type Listener = (...args: unknown[]) => void;
/** A value on its way from one world to the other. */
type Carried =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'function'; readonly id: number }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Carried])[] };

/**
 * Copies values between the two worlds; each world runs it. One world calls the other by events on the document. Their
 * names contain `secret`, which the page does not know. Each side keeps its own functions and refers to them by number.
 */
export function makeCarrier(secret: string, own: 'page' | 'preload', other: 'page' | 'preload') {
  const functions: Listener[] = [];
  const dispatch = document.dispatchEvent.bind(document);
  const listen = document.addEventListener.bind(document);
  const Event = CustomEvent;

  function pack(value: unknown): Carried {
    if (typeof value === 'function') return { kind: 'function', id: functions.push(value as Listener) - 1 };
    if (typeof value === 'symbol' || value instanceof Promise)
      throw new Error('cannot be sent over the bridge');
    if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
      const entries = Object.entries(value).map(([key, part]) => [key, pack(part)] as const);
      return { kind: 'object', entries };
    }
    return { kind: 'value', value };
  }

  function unpack(carried: Carried): unknown {
    switch (carried.kind) {
      case 'value':
        return carried.value;
      case 'object':
        return Object.freeze(Object.fromEntries(carried.entries.map(([key, part]) => [key, unpack(part)])));
      case 'function':
        return (...args: unknown[]) => call(carried.id, args);
    }
  }

  let answer: { readonly error?: string; readonly value?: Carried } | null = null;

  function call(id: number, args: readonly unknown[]): unknown {
    answer = null;
    dispatch(new Event(`${secret}-call-${other}`, { detail: { id, args: args.map(pack) } }));
    const got = answer as { readonly error?: string; readonly value?: Carried } | null;
    if (!got) throw new Error('the other world did not answer');
    if (got.error !== undefined) throw new Error(got.error);
    return got.value && unpack(got.value);
  }

  listen(`${secret}-call-${own}`, event => {
    const { id, args } = (event as CustomEvent).detail as { id: number; args: Carried[] };
    let detail: { error?: string; value?: Carried };
    try {
      detail = { value: pack(functions[id]?.(...args.map(unpack))) };
    } catch (error) {
      detail = { error: (error as Error).message };
    }
    dispatch(new Event(`${secret}-answer-${other}`, { detail }));
  });
  listen(`${secret}-answer-${own}`, event => {
    answer = (event as CustomEvent).detail;
  });
  return { pack, unpack, dispatch, listen, Event };
}

/** Runs the preload in its own world. Only that world has the binding that sends messages to the main process. */
export function preloadWorld(
  secret: string,
  carrierOf: typeof makeCarrier,
  preload: (require: (name: string) => unknown, module: object, exports: object) => void,
) {
  // As with `nodeIntegrationInSubFrames: false`, frames inside the page have no preload.
  if (window !== window.top) return;
  const world = globalThis as unknown as Record<string, (text: string) => void>;
  const send = (message: FromPage) => world[`${secret}-send`]?.(JSON.stringify(message));
  const carrier = carrierOf(secret, 'preload', 'page');
  const ports = new Map<number, MessagePort>();
  const listeners = new Map<string, Listener[]>();
  let paths: readonly string[] = [];
  // A page never uses a number twice.
  let nextPort = 1;
  let exposed: [string, Carried][] | null = [];

  function encode(data: unknown): PortData {
    if (typeof data === 'string') return { kind: 'text', text: data };
    if (data instanceof ArrayBuffer || data instanceof Uint8Array) {
      const bytes = new Uint8Array(data as ArrayBuffer);
      return { kind: 'bytes', base64: btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join('')) };
    }
    return { kind: 'json', json: JSON.stringify(data) ?? 'null' };
  }

  function decode(data: PortData): unknown {
    if (data.kind === 'text') return data.text;
    if (data.kind === 'json') return JSON.parse(data.json);
    return Uint8Array.from(atob(data.base64), character => character.charCodeAt(0)).buffer;
  }

  function adopt(port: MessagePort): number {
    const id = nextPort;
    nextPort += 1;
    ports.set(id, port);
    port.addEventListener('message', event => send({ type: 'port', id, data: encode(event.data) }));
    port.addEventListener('close', () => send({ type: 'port-closed', id }));
    port.start();
    return id;
  }

  world[`${secret}-receive`] = (text: string) => {
    const message = JSON.parse(text) as ToPage;
    switch (message.type) {
      case 'ipc':
        for (const listener of listeners.get(message.channel) ?? []) listener({}, ...message.args);
        break;
      case 'port':
        ports.get(message.id)?.postMessage(decode(message.data));
        break;
      case 'port-closed':
        ports.get(message.id)?.close();
        ports.delete(message.id);
        break;
      case 'files':
        paths = message.paths;
        break;
    }
  };

  function only<T extends object>(name: string, part: T): T {
    return new Proxy(part, {
      get(target, key) {
        if (typeof key === 'symbol' || key in target) return Reflect.get(target, key);
        throw new Error(`the double of Electron has no ${name}.${key}`);
      },
    });
  }

  const contextBridge = {
    exposeInMainWorld(key, api) {
      if (!exposed) throw new Error('the double exposes nothing after the preload has run');
      exposed.push([key, carrier.pack(api)]);
    },
  } satisfies Partial<Electron.ContextBridge>;
  const ipcRenderer = {
    postMessage(channel, message, transfer = []) {
      send({ type: 'ipc', channel, args: [message], ports: transfer.map(adopt) });
    },
    send(channel, ...args) {
      send({ type: 'ipc', channel, args, ports: [] });
    },
    on(channel, listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener as Listener]);
      return this as unknown as Electron.IpcRenderer;
    },
  } satisfies Pick<Electron.IpcRenderer, 'postMessage' | 'send' | 'on'>;
  const webUtils = {
    getPathForFile(file) {
      if (!(file instanceof File)) throw new TypeError('not a File');
      return paths.find(path => path.split('/').at(-1) === file.name) ?? '';
    },
  } satisfies Partial<Electron.WebUtils>;
  const electron = only('electron', {
    contextBridge: only('contextBridge', contextBridge),
    ipcRenderer: only('ipcRenderer', ipcRenderer),
    webUtils: only('webUtils', webUtils),
  });

  carrier.listen(`${secret}-ask`, () => {
    carrier.dispatch(new carrier.Event(`${secret}-tell`, { detail: exposed ?? [] }));
    exposed = null;
  });
  const module = { exports: {} };
  preload(
    name => {
      if (name === 'electron') return electron;
      throw new Error(`a sandboxed preload cannot require ${name}`);
    },
    module,
    module.exports,
  );
}

/** Makes what the preload exposed available in the page's world. It runs before the page's own scripts. */
export function pageWorld(secret: string, carrierOf: typeof makeCarrier) {
  if (window !== window.top) return;
  const carrier = carrierOf(secret, 'page', 'preload');
  carrier.listen(`${secret}-tell`, event => {
    for (const [key, carried] of (event as CustomEvent).detail as [string, Carried][]) {
      Object.defineProperty(window, key, {
        value: carrier.unpack(carried),
        writable: false,
        configurable: false,
        enumerable: true,
      });
    }
  });
  carrier.dispatch(new carrier.Event(`${secret}-ask`));
}
