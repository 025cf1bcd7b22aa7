import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Answered } from './answers.ts';
import { encodeEvent, messageEvents } from './message-events.ts';
import { MAX_QUESTION_BYTES, type Question, type Refusal, readQuestion } from './read-question.ts';

/** Clients keep their connections open; further ones are closed, and the client tries again. */
const MAX_CONNECTIONS = 256;
/** How many questions are read or answered at the same time. */
const MAX_OPEN = 64;
/** How often a waiting stream gets a ping. */
const PING_MS = 10_000;

export type MessagesServerOptions = {
  /** The only model that may be asked. */
  readonly model: string;
  /** What a client has to send in place of a key. */
  readonly token: string;
  /** Including refused questions and those answered from the kept ones. */
  readonly maxQuestions: number;
  readonly answer: (question: Question) => Promise<Answered | Refusal>;
};

/**
 * Answers the Messages API, `POST /v1/messages` with and without `stream`, to programs that have the token. Their
 * headers are not passed on. Listens at several places, and closes all of them at once.
 */
export class MessagesServer {
  readonly #options: MessagesServerOptions;
  readonly #servers: Server[] = [];
  #open = 0;
  #asked = 0;
  /** Counts only requests with the token. */
  #questions = 0;

  constructor(options: MessagesServerOptions) {
    this.#options = options;
  }

  /** Resolves to the port, or to 0 for a socket's path. */
  async listen(where: ListenOptions): Promise<number> {
    const server = createServer(
      { maxHeaderSize: 16 * 1024, requestTimeout: 120_000, headersTimeout: 30_000 },
      (request, response) => void this.#serve(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(where, resolve);
    });
    return (server.address() as AddressInfo).port ?? 0;
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        server =>
          new Promise<void>(resolve => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }

  /** Never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    this.#asked += 1;
    const reply = new Reply(response, `pawl_${this.#asked}`);
    this.#open += 1;
    try {
      const question = await this.#read(request);
      if ('status' in question) return reply.refuse(question);
      if (question.isStreamed) reply.stream();
      const answered = await this.#options.answer(question);
      if ('status' in answered) reply.refuse(answered);
      else reply.answer(answered);
    } catch {
      const message = 'Pawl could not answer: the run is over, or its ledger cannot be written.';
      reply.refuse({ status: 500, type: 'api_error', message });
    } finally {
      this.#open -= 1;
    }
  }

  async #read(request: IncomingMessage): Promise<Question | Refusal> {
    const { token, model, maxQuestions } = this.#options;
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const given = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /i, '');
    if (typeof given !== 'string' || !isSame(given, token)) {
      const message = 'The key differs from the one in ANTHROPIC_API_KEY that Pawl gave this run.';
      return { status: 401, type: 'authentication_error', message };
    }
    if (request.method !== 'POST' || pathname !== '/v1/messages') {
      const message = 'Pawl answers POST /v1/messages, and nothing else.';
      return { status: 404, type: 'not_found_error', message };
    }
    if (this.#open > MAX_OPEN) {
      const message = `Pawl answers ${MAX_OPEN} questions at a time.`;
      return { status: 429, type: 'rate_limit_error', message, isPassing: true };
    }
    this.#questions += 1;
    if (this.#questions > maxQuestions) {
      const message = `This run has asked ${maxQuestions} questions; Pawl answers no more.`;
      return { status: 400, type: 'invalid_request_error', message };
    }
    const body = await readBody(request);
    if (body === null) {
      const message = `Pawl takes questions of at most ${MAX_QUESTION_BYTES} bytes.`;
      return { status: 413, type: 'request_too_large', message };
    }
    return readQuestion(body, model);
  }
}

/** One answer on the wire. It can start streaming before the answer is known. */
class Reply {
  readonly #response: ServerResponse;
  readonly #id: string;
  #isStreamed = false;
  #pings: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, id: string) {
    this.#response = response;
    this.#id = id;
    response.once('close', () => clearInterval(this.#pings));
  }

  /** Starts a stream, and sends pings until the answer is known. */
  stream(): void {
    this.#isStreamed = true;
    this.#pings = setInterval(() => {
      this.#begin({});
      this.#response.write(encodeEvent({ type: 'ping' }));
    }, PING_MS);
  }

  answer({ message, isKept }: Answered): void {
    const headers = { 'pawl-kept': isKept ? '1' : '0' };
    if (this.#isStreamed) {
      this.#begin(headers);
      this.#end(messageEvents(message).map(encodeEvent).join(''));
      return;
    }
    this.#response.writeHead(200, { ...this.#headers('application/json'), ...headers });
    this.#end(JSON.stringify(message));
  }

  refuse({ status, type, message, isPassing = false }: Refusal): void {
    const error = { type: 'error', error: { type, message }, request_id: this.#id };
    if (this.#response.headersSent) {
      this.#end(encodeEvent(error));
      return;
    }
    this.#response.writeHead(status, {
      ...this.#headers('application/json'),
      // Without this the SDKs would retry on their own; Pawl has already waited for passing failures of the server.
      'x-should-retry': String(isPassing),
      // The rest of a body that is too large is not read.
      ...(status === 413 ? { connection: 'close' } : {}),
    });
    this.#end(JSON.stringify(error));
  }

  #begin(headers: Readonly<Record<string, string>>): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { ...this.#headers('text/event-stream; charset=utf-8'), ...headers });
  }

  #headers(type: string): Readonly<Record<string, string>> {
    return { 'content-type': type, 'cache-control': 'no-cache', 'request-id': this.#id };
  }

  #end(text: string): void {
    clearInterval(this.#pings);
    this.#response.end(text);
  }
}

/** Null if the body is too large. Rejects if the client disconnects. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_QUESTION_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Compares in constant time, so that the duration does not reveal the first difference. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
