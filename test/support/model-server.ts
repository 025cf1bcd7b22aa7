import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Anthropic } from '@anthropic-ai/sdk';
import { listenLocally } from './listen-locally.ts';
import { MODELS } from './model-list.ts';
import {
  type Block,
  blockEvents,
  closing,
  errorBody,
  type MessageEnd,
  opening,
  requestId,
  type StreamEvent,
  type Usage,
} from './model-stream.ts';

/** Ways in which any request may fail. */
type Failure =
  /** The default type and message depend on the status. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly type?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Sends nothing until the client leaves: no headers, or with `after` nothing more once those blocks are sent. */
  | {
      readonly kind: 'hang';
      readonly after?: readonly Block[];
      readonly model?: string;
      readonly usage?: Usage;
    }
  /** 200 and a page, like the answer of a network's sign-in page or a wrong address. */
  | { readonly kind: 'garbage' };

/** The blocks of `after` are sent complete, each with its stop event. */
export type Reply =
  | Failure
  | (MessageEnd & {
      readonly kind: 'message';
      readonly blocks: readonly Block[];
      /** Another model than the one requested. */
      readonly model?: string;
      /** The number of pings before the end, one every 50 ms: a server that works in silence. */
      readonly pings?: number;
    })
  /** 200 and a stream that fails, for example through an overload in the middle. */
  | {
      readonly kind: 'error_event';
      readonly after: readonly Block[];
      readonly type: string;
      readonly message: string;
    }
  /**
   * A stream whose connection is lost. The client may also lose what it has not read yet: if the test needs it to
   * have read something, give `when`, which the cut waits for.
   */
  | { readonly kind: 'cut'; readonly after: readonly Block[]; readonly when?: Promise<unknown> }
  /** A stream that ends as if complete, without its `message_delta` and `message_stop`. */
  | { readonly kind: 'unfinished'; readonly after: readonly Block[] };

export type Request = {
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** The JSON sent; null if there was none. */
  readonly body: unknown;
};

/** The answer to a request; `index` is its place among all requests, including those for models. */
export type Script = (request: Request, index: number) => Reply | Promise<Reply>;

export type Options = {
  /** The list of models; default {@link MODELS}. */
  readonly models?: readonly Anthropic.ModelInfo[] | Failure;
};

/** Whether an answer was sent completely, or the client or the server broke the connection first. */
type Ending = 'answered' | 'broken';

export type ModelServer = {
  /** The SDK's `baseURL`. */
  readonly url: string;
  /** Every complete request; the answer to `requests[n]` has the `request-id` `req_n`. */
  readonly requests: readonly Request[];
  /** Resolves when this many requests have come. */
  waitForRequests(count: number): Promise<void>;
  /** How the answer to a request ended; may be called before the request arrives. */
  waitForEnd(index: number): Promise<Ending>;
};

export type RunningModelServer = ModelServer & {
  /** Breaks every connection. Rejects if the script failed, which the client saw as a 500. */
  close(): Promise<void>;
};

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const PAGE = '<!doctype html>\n<title>Sign in</title>\n<p>data: sign in to use this network.</p>\n';

/**
 * A server on a free port of this machine that speaks Anthropic's Messages API as the real SDK reads it: streamed
 * messages, the list of models, and all their failures.
 */
export async function startModelServer(reply: Script, options: Options = {}): Promise<RunningModelServer> {
  const requests: Request[] = [];
  const endings: Promise<Ending>[] = [];
  const failures: unknown[] = [];
  let waiting: (() => void)[] = [];

  const answerTo = async (
    request: Request,
    index: number,
  ): Promise<Reply | readonly Anthropic.ModelInfo[]> => {
    if (request.path === '/v1/models') return options.models ?? MODELS;
    if (request.path === '/v1/messages') return reply(request, index);
    return { kind: 'error', status: 404 };
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await text(incoming).catch(() => null);
    // The client left before sending its request.
    if (body === null) return;
    const request = requestOf(incoming, body);
    const index = requests.push(request) - 1;
    endings.push(endingOf(response));
    for (const wake of waiting.splice(0)) wake();
    response.setHeader('request-id', requestId(index));
    try {
      const answer = await answerTo(request, index);
      await ('kind' in answer ? send(response, request, index, answer) : sendModels(response, answer));
    } catch (error) {
      failures.push(error);
      sendError(response, index, {
        kind: 'error',
        status: 500,
        message: `The test's script failed: ${error}`,
      });
    }
  };
  const waitForRequests = async (count: number) => {
    while (requests.length < count) {
      await new Promise<void>(resolve => {
        waiting = [...waiting, resolve];
      });
    }
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(error => {
      failures.push(error);
      response.destroy();
    });
  });
  const listening = await listenLocally(server);
  return {
    ...{ url: listening.url, requests, waitForRequests },
    async waitForEnd(index) {
      await waitForRequests(index + 1);
      const ending = endings[index];
      if (!ending) throw new Error(`there is no request ${index}`);
      return ending;
    },
    async close() {
      await listening.close();
      if (failures.length > 0) throw failures[0];
    },
  };
}

function requestOf(incoming: IncomingMessage, body: string): Request {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  return {
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: incoming.headers,
    body: body === '' ? null : JSON.parse(body),
  };
}

function modelOf({ body }: Request): string {
  return (body as { readonly model?: string } | null)?.model ?? 'claude-opus-5-5';
}

function endingOf(response: ServerResponse): Promise<Ending> {
  return new Promise(resolve => {
    response.once('close', () => resolve(response.writableFinished ? 'answered' : 'broken'));
  });
}

async function send(response: ServerResponse, request: Request, index: number, reply: Reply): Promise<void> {
  const begin = (blocks: readonly Block[], usage?: Usage, model?: string) =>
    write(response, [
      ...opening(index, usage, model ?? modelOf(request)),
      ...blocks.flatMap(blockEvents(index)),
    ]);
  switch (reply.kind) {
    case 'error':
      return sendError(response, index, reply);
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
      return;
    case 'hang':
      if (reply.after) await begin(reply.after, reply.usage, reply.model);
      return;
    case 'message':
      await begin(reply.blocks, reply.usage, reply.model);
      for (let ping = 0; ping < (reply.pings ?? 0); ping += 1) {
        await delay(50);
        await write(response, [{ type: 'ping' }]);
      }
      await write(response, closing(reply.blocks, reply));
      break;
    case 'error_event':
      await begin(reply.after);
      await write(response, [errorBody(index, reply.type, reply.message)]);
      break;
    case 'cut':
      await begin(reply.after);
      await reply.when;
      response.destroy();
      return;
    case 'unfinished':
      await begin(reply.after);
      break;
  }
  response.end();
}

function sendError(response: ServerResponse, index: number, error: Extract<Reply, { kind: 'error' }>): void {
  const { status, headers } = error;
  const type = error.type ?? ERROR_TYPES[status] ?? 'api_error';
  // Once a stream has begun, no other answer is possible.
  if (response.headersSent) response.destroy();
  else {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(errorBody(index, type, error.message ?? `A scripted ${type}.`)));
  }
}

function sendModels(response: ServerResponse, models: readonly Anthropic.ModelInfo[]): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(
    JSON.stringify({
      data: models,
      has_more: false,
      first_id: models.at(0)?.id ?? null,
      last_id: models.at(-1)?.id ?? null,
    }),
  );
}

/**
 * Resolves when the events are handed to the connection, so that a cut comes after them, or when the connection is
 * lost.
 */
function write(response: ServerResponse, events: readonly StreamEvent[]): Promise<void> {
  if (!response.headersSent) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
  }
  const lines = events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return new Promise(resolve => {
    response.write(lines.join(''), () => resolve());
  });
}
