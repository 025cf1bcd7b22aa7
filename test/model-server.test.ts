import Anthropic, {
  AnthropicError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  InternalServerError,
  OverloadedError,
  RateLimitError,
} from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { MODELS } from './support/model-list.ts';
import { modelServer } from './support/model-of-test.ts';
import { type ModelServer, type Reply, type Script, startModelServer } from './support/model-server.ts';
import type { Block } from './support/model-stream.ts';

const HALF: readonly Block[] = [{ type: 'text', text: 'half of it' }];

/** The real SDK, which tries each request once. */
function clientOf(server: Pick<ModelServer, 'url'>, timeout = 30_000): Anthropic {
  return new Anthropic({ apiKey: 'a-key', baseURL: server.url, maxRetries: 0, timeout });
}

function ask(server: Pick<ModelServer, 'url'>, timeout?: number) {
  return clientOf(server, timeout).messages.stream({
    model: 'claude-haiku-5-5',
    max_tokens: 1000,
    messages: [{ role: 'user', content: 'Say it.' }],
  });
}

type Stream = ReturnType<typeof ask>;

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('the call did not fail');
}

/** What the stream fails with, of exactly this class: most of the SDK's errors extend one another. */
async function expectError<E extends Error>(
  stream: Stream,
  kind: new (...parameters: never) => E,
): Promise<E> {
  const error = await errorOf(stream.finalMessage());
  expect(error).toBeInstanceOf(kind);
  expect((error as E).constructor).toBe(kind);
  return error as E;
}

const replyWith =
  (reply: Reply): Script =>
  () =>
    reply;

test('a message arrives whole, in pieces, with what it cost', async () => {
  const server = await modelServer(
    replyWith({
      kind: 'message',
      blocks: [
        { type: 'thinking', thinking: 'What is it?' },
        { type: 'text', text: 'It is 🙂 a "line"\nand another.' },
        { type: 'tool_use', name: 'write', input: { path: 'a.py', lines: ['é', 1, null] } },
      ],
      usage: { input: 12, cacheRead: 3, cacheWrite: 4, output: 56 },
    }),
  );
  const stream = ask(server);
  const events: string[] = [];
  stream.on('streamEvent', event => {
    events.push(event.type === 'content_block_delta' ? event.delta.type : event.type);
  });
  expect(await stream.finalMessage()).toMatchObject({
    id: 'msg_0',
    model: 'claude-haiku-5-5',
    role: 'assistant',
    stop_reason: 'tool_use',
    content: [
      { type: 'thinking', thinking: 'What is it?', signature: 'signature_0_0' },
      { type: 'text', text: 'It is 🙂 a "line"\nand another.' },
      {
        type: 'tool_use',
        id: 'toolu_0_2',
        name: 'write',
        input: { path: 'a.py', lines: ['é', 1, null] },
      },
    ],
    usage: {
      input_tokens: 12,
      cache_read_input_tokens: 3,
      cache_creation_input_tokens: 4,
      output_tokens: 56,
    },
  });
  const block = (...deltas: string[]) => ['content_block_start', ...deltas, 'content_block_stop'];
  expect(events).toEqual([
    'message_start',
    ...block('thinking_delta', 'thinking_delta', 'signature_delta'),
    ...block('text_delta', 'text_delta'),
    ...block('input_json_delta', 'input_json_delta', 'input_json_delta'),
    'message_delta',
    'message_stop',
  ]);
  expect(stream.request_id).toBe('req_0');
  expect(await server.waitForEnd(0)).toBe('answered');
  expect(server.requests).toMatchObject([
    {
      path: '/v1/messages',
      headers: { authorization: 'Bearer a-key' },
      body: { model: 'claude-haiku-5-5', max_tokens: 1000, stream: true },
    },
  ]);
});

test('each request is answered as the script says, and has its own identifiers', async () => {
  const server = await modelServer(async ({ body }, index) => {
    const { messages } = body as { readonly messages: readonly unknown[] };
    return {
      kind: 'message',
      blocks: [{ type: 'text', text: `${index}: ${messages.length}` }],
      ...(index === 1 ? { stopReason: 'refusal' } : {}),
    };
  });
  const [first, second] = [await ask(server).finalMessage(), await ask(server).finalMessage()];
  expect([first.id, first.stop_reason, first.content]).toMatchObject([
    'msg_0',
    'end_turn',
    [{ text: '0: 1' }],
  ]);
  expect([second.id, second.stop_reason, second.content]).toMatchObject([
    'msg_1',
    'refusal',
    [{ text: '1: 1' }],
  ]);
  await server.waitForRequests(2);
});

test.each([
  { status: 401, type: 'authentication_error', kind: AuthenticationError },
  { status: 429, type: 'rate_limit_error', kind: RateLimitError },
  { status: 500, type: 'api_error', kind: InternalServerError },
  { status: 529, type: 'overloaded_error', kind: OverloadedError },
])('status $status is the error that the SDK has for it', async ({ status, type, kind }) => {
  const server = await modelServer(
    replyWith({ kind: 'error', status, message: 'No.', headers: { 'retry-after': '7' } }),
  );
  const error: APIError = await expectError(ask(server), kind);
  expect(error).toMatchObject({ status, type, apiMessage: 'No.', requestID: 'req_0' });
  expect(error.headers?.get('retry-after')).toBe('7');
  expect(server.requests).toHaveLength(1);
});

test('an error in a stream is an API error without a status, after what came before it', async () => {
  const server = await modelServer(
    replyWith({ kind: 'error_event', after: HALF, type: 'overloaded_error', message: 'Busy.' }),
  );
  const stream = ask(server);
  const error = await expectError(stream, APIError);
  expect(error).toMatchObject({
    status: undefined,
    type: 'overloaded_error',
    apiMessage: 'Busy.',
    requestID: 'req_0',
  });
  expect(stream.currentMessage).toMatchObject({ stop_reason: null, content: HALF });
});

test('a lost connection is no API error, and leaves what was read', async () => {
  const { promise: read, resolve } = Promise.withResolvers<void>();
  const server = await modelServer(replyWith({ kind: 'cut', after: HALF, when: read }));
  const stream = ask(server).on('contentBlock', () => resolve());
  const error = await expectError(stream, AnthropicError);
  expect(error).toMatchObject({ message: 'terminated', cause: { cause: { code: 'UND_ERR_SOCKET' } } });
  expect(stream.currentMessage).toMatchObject({ content: HALF });
  expect(await server.waitForEnd(0)).toBe('broken');
});

test('an answer that does not come or go on ends when the client leaves, which the server notices', async () => {
  const server = await modelServer((_, index) =>
    index === 0 ? { kind: 'hang', after: HALF } : { kind: 'hang' },
  );
  const begun = ask(server);
  begun.on('contentBlock', () => begun.abort());
  await expectError(begun, APIUserAbortError);
  expect(begun.currentMessage).toMatchObject({ content: HALF });
  expect(await server.waitForEnd(0)).toBe('broken');

  const silent = ask(server);
  await server.waitForRequests(2);
  silent.abort();
  await expectError(silent, APIUserAbortError);
  expect(silent.currentMessage).toBeUndefined();
  expect(await server.waitForEnd(1)).toBe('broken');

  await expectError(ask(server, 50), APIConnectionTimeoutError);
});

test('the input of a tool that is not JSON fails the stream; one that is cut off is mended', async () => {
  const server = await modelServer((_, index) => ({
    kind: 'message',
    blocks: [
      {
        type: 'tool_use',
        name: 'write',
        input: { rawJson: index === 0 ? '{"path": nowhere}' : '{"path": "a.py", "text": "half of' },
      },
    ],
    ...(index === 0 ? {} : { stopReason: 'max_tokens' }),
  }));
  const broken = ask(server);
  const error = await expectError(broken, AnthropicError);
  expect(error.cause).toBeInstanceOf(SyntaxError);
  // Whoever looks at the block meets the error again.
  expect(() => JSON.stringify(broken.currentMessage)).toThrow(SyntaxError);

  expect(await ask(server).finalMessage()).toMatchObject({
    stop_reason: 'max_tokens',
    content: [{ type: 'tool_use', input: { path: 'a.py' } }],
  });
});

test('a page instead of a stream, and a stream without its end, are no messages', async () => {
  const server = await modelServer((_, index) =>
    index === 0 ? { kind: 'garbage' } : { kind: 'unfinished', after: HALF },
  );
  const page = await expectError(ask(server), AnthropicError);
  expect(page.message).toBe('request ended without sending any chunks');

  const unfinished = ask(server);
  await unfinished.done();
  const error = await expectError(unfinished, AnthropicError);
  expect(error.message).toBe('stream ended without producing a Message with role=assistant');
  expect(unfinished.currentMessage).toBeUndefined();
});

test('the models are listed, those of the test where it has some, or as it lets that fail', async () => {
  const script = replyWith({ kind: 'garbage' });
  const server = await modelServer(script);
  const page = await clientOf(server).models.list({ limit: 50 });
  expect(page.data).toEqual(MODELS);
  expect([page.hasNextPage(), page.first_id, page.last_id]).toEqual([
    false,
    'claude-opus-5-5',
    'claude-haiku-5-5',
  ]);
  expect(server.requests).toMatchObject([{ path: '/v1/models', query: { limit: '50' }, body: null }]);

  const one = await modelServer(script, { models: MODELS.slice(1) });
  const listed: string[] = [];
  for await (const { id } of clientOf(one).models.list()) listed.push(id);
  expect(listed).toEqual(['claude-haiku-5-5']);

  const refusing = await modelServer(script, { models: { kind: 'error', status: 401 } });
  expect(await errorOf(clientOf(refusing).models.list())).toBeInstanceOf(AuthenticationError);

  // The SDK takes a page for an empty list.
  const strange = await modelServer(script, { models: { kind: 'garbage' } });
  expect((await clientOf(strange).models.list()).data).toEqual([]);
});

test('a script that fails is an error for its client, and for whoever closes the server', async () => {
  const server = await startModelServer(() => {
    throw new Error('not in the script');
  });
  const error = await expectError(ask(server), InternalServerError);
  expect(error.apiMessage).toContain('not in the script');
  await expect(server.close()).rejects.toThrow('not in the script');
});

test('an answer that is late for a client that left does no harm', async () => {
  const { promise: late, resolve } = Promise.withResolvers<Reply>();
  const server = await modelServer((_, index) =>
    index === 0 ? late : { kind: 'message', blocks: [{ type: 'text', text: 'in time' }] },
  );
  const left = ask(server);
  await server.waitForRequests(1);
  left.abort();
  await expectError(left, APIUserAbortError);
  expect(await server.waitForEnd(0)).toBe('broken');
  resolve({ kind: 'message', blocks: HALF });
  expect((await ask(server).finalMessage()).content).toMatchObject([{ text: 'in time' }]);
});
