import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Answered } from './answers.ts';
import { encodeEvent, messageEvents } from './message-events.ts';
import { MAX_QUESTION_BYTES, type Question, type Refusal, readQuestion } from './read-question.ts';

/** Clients keep what they have opened; further ones are hung up on, and try again. */
const MAX_CONNECTIONS = 256;
/** Questions that are read or answered at the same time. */
const MAX_OPEN = 64;
/** As often a stream that waits is told that it is alive. */
const PING_MS = 10_000;

export type MessagesServerOptions = {
  /** The only model that may be asked. */
  readonly model: string;
  /** What a client has to send in the place of a key. */
  readonly token: string;
  /** Those that are refused, or answered with what is kept, included. */
  readonly maxQuestions: number;
  readonly answer: (question: Question) => Promise<Answered | Refusal>;
};

/**
 * Answers the Messages API, `POST /v1/messages` with and without `stream`, to programs that have the token. Their headers go
 * nowhere. Listens at as many places as it is told to; closes all of them at once.
 */
export class MessagesServer {
  readonly #options: MessagesServerOptions;
  readonly #servers: Server[] = [];
  #open = 0;
  #asked = 0;
  /** Of whoever has the token. */
  #questions = 0;

  constructor(options: MessagesServerOptions) {
    this.#options = options;
  }

  /** Resolves to the port; 0 at the path of a socket. */
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

  /** Hangs up on everybody. */
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

/** One answer on the wire, which may begin before it is known. */
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

  /** It is wanted as a stream: as long as it is not known, it is told to go on waiting. */
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
      // The SDKs would ask again by themselves; what passes at the server has been waited for already.
      'x-should-retry': String(isPassing),
      // Of a body that is too large the rest is not read.
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

/** Null where it is too large. Rejects where the client goes away. */
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

/** Compares in a time that tells nothing about the first difference. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
