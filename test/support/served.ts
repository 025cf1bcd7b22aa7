import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import type { ServerLimits } from '../../src/server/strangers.ts';
import { temporaryFolder, writeFiles } from './scaffold.ts';
import { type Calls, type Desk, openDesk } from './service.ts';

export const TOKEN = 'a-token-of-more-than-thirty-two-characters';

type LogLine = { readonly level: number; readonly msg: string } & Readonly<Record<string, unknown>>;

/** A served window on a free port, with its log. */
export type Served = {
  readonly desk: Desk;
  readonly server: RunningServer;
  readonly port: number;
  /** The window's folder; beside it lies `secret.html`. */
  readonly folder: string;
  readonly log: readonly LogLine[];
  /** The messages logged since the last call. */
  newMessages(): readonly string[];
  /** Resolves when a line with this message is logged, not counting those that {@link newMessages} has returned. */
  untilLogged(message: string | RegExp): Promise<LogLine>;
  /** Sends the bytes unchanged and returns everything received until the server closes. */
  raw(bytes: string | Buffer): Promise<string>;
  /** `GET` of a path, by default with a valid Host; the answer is read to its end. */
  get(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<string>;
  /** A plain connection. */
  dial(): Promise<Socket>;
};

export async function serveWindow(
  options: { readonly desk?: Desk; readonly limits?: ServerLimits } = {},
): Promise<Served> {
  const root = await temporaryFolder();
  const folder = join(root, 'window');
  await writeFiles(root, {
    'secret.html': 'SECRET',
    'window-of-another/secret.html': 'SECRET',
    'window/index.html': '<!doctype html><title>Pawl</title>',
    'window/assets/main-abc.js': 'export {};',
    'window/assets/main.css': 'body {}',
    'window/icon.svg': '<svg/>',
    'window/notes.txt': 'SECRET',
    'window/main.js.map': 'SECRET',
  });
  const desk = options.desk ?? (await openDesk());
  const log: LogLine[] = [];
  let told = 0;
  let waiting: (() => void)[] = [];
  const server = await startServer({
    ...(options.limits ? { limits: options.limits } : {}),
    router: desk.router,
    folder,
    port: 0,
    token: TOKEN,
    log: pino(
      { base: null },
      {
        write(line: string) {
          log.push(JSON.parse(line) as LogLine);
          for (const wake of waiting.splice(0)) wake();
        },
      },
    ),
  });
  onTestFinished(() => server.close());
  const port = Number(new URL(server.url).port);
  const dial = () =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.on('error', reject);
      onTestFinished(() => {
        socket.destroy();
      });
    });
  const raw = async (bytes: string | Buffer) => {
    const socket = await dial();
    const chunks: Buffer[] = [];
    socket.on('data', chunk => chunks.push(chunk));
    socket.removeAllListeners('error').on('error', () => {});
    const closed = new Promise(resolve => socket.on('close', resolve));
    socket.write(bytes);
    await closed;
    return Buffer.concat(chunks).toString('latin1');
  };
  return {
    ...{ desk, server, port, folder, log, raw, dial },
    newMessages() {
      const messages = log.slice(told).map(({ msg }) => msg);
      told = log.length;
      return messages;
    },
    async untilLogged(message) {
      for (;;) {
        const found = log
          .slice(told)
          .find(({ msg }) => (typeof message === 'string' ? msg === message : message.test(msg)));
        if (found) return found;
        await new Promise<void>(resolve => {
          waiting = [...waiting, resolve];
        });
      }
    },
    get: (path, headers = {}, method = 'GET') =>
      raw(
        [
          `${method} ${path} HTTP/1.1`,
          ...Object.entries({ Host: `127.0.0.1:${port}`, Connection: 'close', ...headers })
            .filter(([, value]) => value !== '')
            .map(([name, value]) => `${name}: ${value}`),
          '\r\n',
        ].join('\r\n'),
      ),
  };
}

/** Headers of a valid WebSocket handshake. */
export function upgradeHeaders(port: number, token = TOKEN): Readonly<Record<string, string>> {
  return {
    Host: `127.0.0.1:${port}`,
    Origin: `http://127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': `pawl, token.${token}`,
  };
}

/** An open socket of a window. */
export async function openSocket({ port }: Served): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/calls`, ['pawl', `token.${TOKEN}`], {
    origin: `http://127.0.0.1:${port}`,
  });
  onTestFinished(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

/** How a socket closed or will close. */
export function closeOf(socket: WebSocket): Promise<{ readonly code: number; readonly reason: string }> {
  return new Promise(resolve => {
    socket.on('error', () => {});
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
}

/** Every call over a socket, as the window in a browser makes it. */
export function callsOver(socket: WebSocket): Calls {
  return createORPCClient(new RPCLink({ websocket: socket as never }));
}

/** Fails if the server no longer serves its page and answers its calls. */
export async function expectAlive(served: Served): Promise<void> {
  const page = await served.get('/');
  if (!page.startsWith('HTTP/1.1 200 ')) throw new Error(`the page is not served: ${page}`);
  const socket = await openSocket(served);
  const answer = await callsOver(socket).app.ping();
  if (answer !== 'pong') throw new Error(`the calls are not answered: ${answer}`);
  const closed = closeOf(socket);
  socket.close();
  await closed;
}
