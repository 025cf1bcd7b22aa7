import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenLocally } from '../../support/listen-locally.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The one key that servers here take. */
export const KEY = 'key-of-nobody';

export type Asked = {
  readonly method: string;
  /** Whether {@link KEY} came with it, in whichever header. */
  readonly isSigned: boolean;
  /** Without the query. */
  readonly path: string;
  /** Empty where no JSON object was sent. */
  readonly body: Json;
};

export type Loopback = {
  /** Without a slash at the end. */
  readonly url: string;
  /** How often a model was asked: requests that bring something, and came whole. */
  count(): number;
  /** Resolves when a model was asked. */
  untilAsked(): Promise<void>;
  /** Breaks every connection. */
  close(): Promise<void>;
};

/**
 * A server on a free port of this machine; what `answer` throws is a 500.
 * @param attach may listen to what is no plain request, and calls `asked` where a model is asked that way
 */
export async function startLoopback(
  answer: (asked: Asked, response: ServerResponse) => void,
  attach: (server: Server, asked: () => void) => void = () => {},
): Promise<Loopback> {
  let count = 0;
  const first = Promise.withResolvers<void>();
  const countOne = () => {
    count += 1;
    first.resolve();
  };
  const server = createServer(async (incoming, response) => {
    try {
      const body = await text(incoming);
      const { pathname } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
      const request: Asked = {
        ...{ method: incoming.method ?? '', path: pathname, isSigned: isSigned(incoming) },
        body: body.startsWith('{') ? JSON.parse(body) : {},
      };
      if (request.method === 'POST') countOne();
      answer(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: { message: String(error) } });
    }
  });
  attach(server, countOne);
  const listening = await listenLocally(server);
  return { ...listening, count: () => count, untilAsked: () => first.promise };
}

export function isSigned({ headers }: IncomingMessage): boolean {
  const given = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization;
  return given === KEY || given === `Bearer ${KEY}`;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: Json,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Server-sent events; those with a `type` are named by it. */
export function sendEvents(response: ServerResponse, events: readonly (Json | string)[]): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  for (const event of events) {
    const name = typeof event === 'object' && typeof event.type === 'string' ? `event: ${event.type}\n` : '';
    response.write(`${name}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
  }
  response.end();
}
