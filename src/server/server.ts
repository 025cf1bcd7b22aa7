import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { sep } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PawlRouter } from '../engine/api/router.ts';
import { findWindowFile } from '../engine/api/window-files.ts';
import { contentSecurityPolicy } from '../shared/content-security-policy.ts';
import { PawlError } from '../shared/errors.ts';
import { type Refusal, refuseHost, refuseOrigin, refuseToken } from './access.ts';
import { carryCalls } from './carry-calls.ts';
import { readDescriptorLimit, type ServerLimits, Strangers, serverLimits } from './strangers.ts';

/** Only this machine; an ssh tunnel ends here too. */
const ADDRESS = '127.0.0.1';
/** Path of the WebSocket. */
const CALLS_PATH = '/calls';
/** The largest thing a window sends is a file of instructions. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Between two checks for connections that have timed out. */
const LOOK_MS = 1_000;
/** A sleeping window does not answer a close, and must not keep the host from ending. */
const CLOSE_MS = 2_000;

const HEADERS = {
  'content-security-policy': contentSecurityPolicy("'self'"),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Gives the page its own process, which no other site's page shares.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

export type ServerOptions = {
  readonly router: PawlRouter;
  /** The built window. */
  readonly folder: string;
  /** 0 is any free port. */
  readonly port: number;
  /** The secret of this start; whoever has it may do everything that a window may. */
  readonly token: string;
  readonly log: Logger;
  /** By default, as many as this process can afford. */
  readonly limits?: ServerLimits;
};

export type RunningServer = {
  /** The address to open, with the token in its fragment, which browsers never send. */
  readonly url: string;
  close(): Promise<void>;
};

/** Serves the window and its calls on the loopback address. Rejects with `usage` if the port is not available. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { router, folder, port, token, log } = options;
  const { limits = serverLimits(readDescriptorLimit()) } = options;
  const strangers = new Strangers(limits.strangers, () =>
    log.warn(`more than ${limits.strangers} connections without the token: the oldest are closed`),
  );
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => 'pawl',
  });
  sockets.on('wsClientError', (error, socket, request) => {
    refuseUpgrade(request, socket, { status: 400, why: error.message }, log);
  });
  /** The number of requests per connection. */
  const asked = new WeakMap<Duplex, number>();
  const countRequest = (socket: Duplex) => asked.set(socket, (asked.get(socket) ?? 0) + 1);
  const timing = {
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(LOOK_MS, limits.headMs),
  };
  // Node itself would answer a request without a Host, and that answer would be in no log.
  const http = createServer({ requireHostHeader: false, ...timing }, (request, response) => {
    const { socket } = request;
    countRequest(socket);
    // Node still processes what it had read before the connection was closed.
    if (socket.destroyed) return;
    if (!strangers.ask(socket)) {
      log.warn('too many requests without waiting for an answer: connection closed');
      socket.destroy();
      return;
    }
    response.once('close', () => strangers.answered(socket));
    const answer = () =>
      respond(request, response, folder, log).catch(error => {
        log.warn({ error: String(error), url: request.url }, 'request failed');
        response.destroy();
      });
    // One after the other, so that each connection has one file open. An answer gets its socket when its turn comes.
    if (response.socket) void answer();
    else response.once('socket', () => void answer());
  });
  // Also for clients that do not read their answer. The windows' sockets use a heartbeat instead.
  http.setTimeout(limits.idleMs);
  http.on('connection', socket => strangers.add(socket));
  http.on('upgrade', (request, socket: Socket, head) => {
    countRequest(socket);
    const refusal =
      request.url === CALLS_PATH
        ? (refuseHost(request) ?? refuseOrigin(request) ?? refuseToken(request, token))
        : { status: 404 as const, why: 'no such path' };
    if (refusal || sockets.clients.size >= limits.windows) {
      refuseUpgrade(request, socket, refusal ?? { status: 403, why: 'too many windows' }, log);
      return;
    }
    strangers.admit(socket);
    sockets.handleUpgrade(request, socket, head, (opened: WebSocket) => carryCalls(opened, router, log));
  });
  http.on('connect', (request, socket) => refuseUpgrade(request, socket, ONLY_GET, log));
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT') {
      log.warn({ error: error.message }, 'malformed request refused');
      socket.destroy();
      return;
    }
    // Browsers connect before they have a request. And if the host was held up, its timers fire before it reads data
    // that has been waiting; closing the connection then would reset it. One turn of the event loop reads the data.
    const before = asked.get(socket);
    setImmediate(() => {
      if (asked.get(socket) === before) socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, ADDRESS, resolve);
  }).catch(cause => {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken: choose another with --port' : `cannot be used (${code})`;
    throw new PawlError('usage', `Port ${port} ${why}.`, { cause });
  });
  const { port: taken } = http.address() as AddressInfo;
  return {
    url: `http://${ADDRESS}:${taken}/#token=${token}`,
    async close() {
      for (const client of sockets.clients) client.close(1001, 'Pawl is quitting');
      sockets.close();
      const late = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, CLOSE_MS);
      http.closeAllConnections();
      await new Promise(resolve => http.close(resolve));
      clearTimeout(late);
    },
  };
}

const ONLY_GET: Refusal = { status: 405, why: 'only GET' };

/** The window's static files. They contain nothing secret; secrets go over the WebSocket. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  log: Logger,
): Promise<void> {
  const refuse = (refusal: Refusal) => {
    log.warn(
      { url: request.url, method: request.method, host: request.headers.host },
      `refused: ${refusal.why}`,
    );
    response.writeHead(refusal.status, { ...HEADERS, 'content-type': 'text/plain' });
    response.end(`${refusal.why}\n`);
  };
  const badHost = refuseHost(request);
  if (badHost) return refuse(badHost);
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(ONLY_GET);
  const { url = '/' } = request;
  if (!url.startsWith('/')) return refuse({ status: 400, why: 'not a path' });
  const { pathname } = new URL(`http://${ADDRESS}${url}`);
  // The address as it was sent, because `URL` has already removed dots from `pathname`.
  const isPlain = !/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(decodeLoosely(url));
  const found = isPlain ? findWindowFile(folder, pathname) : null;
  const size = found && (await sizeWithin(folder, found.file).catch(() => null));
  if (!found || size === null) return refuse({ status: 404, why: 'no such file' });
  response.writeHead(200, {
    ...HEADERS,
    'content-type': found.type,
    'content-length': size,
    // Built files carry a hash in their name; the page itself does not.
    'cache-control': pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(found.file), response);
}

/** The size of a file in the folder; null for anything else, including a link that leads out of it. */
async function sizeWithin(folder: string, file: string): Promise<number | null> {
  const [top, place] = await Promise.all([realpath(folder), realpath(file)]);
  const found = await stat(place);
  return place.startsWith(top + sep) && found.isFile() ? found.size : null;
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '/..';
  }
}

function refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal, log: Logger): void {
  const { host, origin } = request.headers;
  log.warn({ url: request.url, host, origin }, `window refused: ${refusal.why}`);
  // No other listener is left: ends connections that are already broken or whose other side never closes.
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
