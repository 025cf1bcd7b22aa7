import { expect, onTestFinished, test } from 'vitest';
import { MessagesServer } from '../../../src/engine/model-in-training/messages-server.ts';
import { clientFor } from '../../../src/engine/proposers/model/client-for.ts';
import { PawlError } from '../../../src/shared/errors.ts';
import { askingNight, says } from '../../support/asking-night.ts';
import { slowness } from '../../support/clock.ts';
import { found } from '../../support/contained.ts';
import { bodyOf, KEY } from '../../support/model-night.ts';
import { modelServer } from '../../support/model-of-test.ts';
import type { Request } from '../../support/model-server.ts';
import { checkNight } from '../../support/study.ts';

/** With a sandbox, where this machine has one, and without. */
const WALLS = [
  ...(found.kind === 'none' ? [] : [['in the sandbox', 'required'] as const]),
  ['without a sandbox', 'off'] as const,
];

/** What a request of the SDK brings in the place of a key. */
const keyOf = (request: Request | undefined) =>
  request?.headers.authorization ?? String(request?.headers['x-api-key']);

/** Prints the number that the model says. */
const SCORE = `
status, answer, headers = ask("Rate this.", system="Say a number.")
print(status, headers.get("pawl-kept"))
print("val_bpb:", text_of(answer) if status == 200 else answer["error"]["message"])
`;

test.each(WALLS)('a training asks the model, and sees neither key nor network (%s)', async (_, mode) => {
  const night = await askingNight(
    `${SCORE}
print("key", any("${KEY}" in value for value in os.environ.values()), os.environ["PAWL_MODEL"])
import re, socket
port = re.search(r'base_url = "http://127.0.0.1:(\\d+)"', open("pawl.toml").read())[1]
try:
    socket.create_connection(("127.0.0.1", int(port)), 2)
    print("reached")
except OSError:
    print("not reached")
`,
    () => says('1.5'),
    {
      environment: { PAWL_SANDBOX: mode, MY_COPY: `key=${KEY}` },
      contract: 'environment = ["ANTHROPIC_API_KEY", "MY_COPY"]',
    },
  );
  expect(await night.run()).toBe('experiments');
  const log = await night.log(0);
  expect(log).toContain('200 0\nval_bpb: 1.5\nkey False claude-haiku-5-5\n');
  expect(log).toContain(mode === 'off' ? '\nreached' : '\nnot reached');
  expect(night.engine.ledger.experiments.incumbent(night.studyId)?.metric).toBe(1.5);
  const [request] = night.server.requests;
  expect(keyOf(request)).toContain(KEY);
  expect(bodyOf(request)).toMatchObject({
    model: 'claude-haiku-5-5',
    max_tokens: 100,
    system: 'Say a number.',
  });
  const [call] = night.calls(0);
  expect(call).toMatchObject({ proposer: 'training', outcome: 'ok', isKept: false });
  expect(call?.costUsd).toBeGreaterThan(0);
  await checkNight(night);
});

test.each(WALLS)(
  'the same question is paid for once in a study, also after a restart (%s)',
  async (_, mode) => {
    const night = await askingNight(SCORE, () => says('1.5'), { environment: { PAWL_SANDBOX: mode } });
    await night.run();
    await night.run({ stop: { experiments: 2 } });
    expect(night.server.requests).toHaveLength(1);
    expect(await night.log(1)).toContain('200 1\nval_bpb: 1.5\n');
    expect(night.calls(0).map(({ isKept }) => isKept)).toEqual([false]);
    expect(night.calls(1)).toMatchObject([{ isKept: true, costUsd: 0, outcome: 'ok' }]);
  },
);

test('twenty questions at once are answered, and the same ones among them are one call', async () => {
  const night = await askingNight(
    `
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(40) as pool:
    answers = list(pool.map(lambda n: ask(f"Question {n % 20}"), range(40)))
print("val_bpb:", sum(status == 200 for status, _, _ in answers))
`,
    () => says('yes'),
  );
  await night.run();
  expect(await night.log(0)).toContain('val_bpb: 40\n');
  expect(night.server.requests).toHaveLength(20);
});

test('where the cap is reached the run is told, is not judged, and is run again on resume', async () => {
  const night = await askingNight(
    `
for n in range(3):
    status, answer, _ = ask(f"Question {n}")
    print(status, answer.get("error"))
print("val_bpb: 1.0")
`,
    // 4,000 tokens each way, of $0.10 and $0.50 a million.
    () => says('yes', { input: 4_000, output: 4_000 }),
    { capUsd: 0.003 },
  );
  expect(await night.run()).toBe('spend');
  const log = await night.log(0);
  expect(log).toMatch(
    /200 None\r?\n402 \{'type': 'billing_error', 'message': 'The cap of \$0\.003 for this study/,
  );
  expect(night.events.at(-1)).toMatchObject({ type: 'study_stopped', reason: 'spend', finished: 0 });
  expect(night.events.find(({ type }) => type === 'put_off')).toMatchObject({ n: 0 });
  const asked = night.server.requests.length;
  expect(await night.run({ capUsd: 10 })).toBe('experiments');
  expect(night.engine.ledger.experiments.incumbent(night.studyId)?.metric).toBe(1);
  // What was answered before is not asked again.
  expect(night.server.requests).toHaveLength(3);
  expect(asked).toBeLessThan(3);
  await checkNight(night);
});

test('a server that does not answer is no fault of the code: the study pauses, and trains again', async () => {
  let isDown = true;
  const night = await askingNight(
    SCORE,
    () => (isDown ? { kind: 'error', status: 401, message: 'no such key' } : says('2.5')),
    { askAgainMs: 1 },
  );
  const { engine, studyId } = night;
  const asked = night.server.waitForRequests(2).then(() => {
    isDown = false;
  });
  expect(await night.run()).toBe('experiments');
  await asked;
  expect(await night.log(0)).toContain('The server rejected the key: no such key');
  expect(night.events.filter(({ type }) => type === 'warning')).toContainEqual(
    expect.objectContaining({ code: 'model_blocked' }),
  );
  expect(engine.ledger.experiments.incumbent(studyId)?.metric).toBe(2.5);
  await checkNight(night);
});

test('an experiment that makes the server fail each time is judged in the end', async () => {
  const night = await askingNight(
    `
if sys.argv[1] == "2":
    print("val_bpb: 2")
else:
    status, answer, _ = ask("What makes it fail.")
    print("val_bpb:", status)
`,
    () => ({ kind: 'error', status: 403, message: 'not this' }),
    { askAgainMs: 1, experiments: 1 },
  );
  expect(await night.run()).toBe('experiments');
  expect(night.engine.ledger.runs.list(night.studyId, 1)).toHaveLength(5);
  expect(night.events.filter(({ type }) => type === 'verdict')).toHaveLength(2);
});

test('what Pawl does not know, and what would reach the network, is refused in the API’s own form', async () => {
  const night = await askingNight(
    `
image = {"type": "image", "source": {"type": "url", "url": "http://127.0.0.1/x.png"}}
document = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
questions = [
    dict(model="claude-opus-5-5"),
    dict(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
    dict(tools=[{"type": "code_execution_20250825", "name": "code_execution"}]),
    dict(tools=[{"type": "computer_20250124", "name": "computer", "display_width_px": 1, "display_height_px": 1}]),
    dict(mcp_servers=[{"type": "url", "url": "http://127.0.0.1", "name": "x"}]),
    dict(container="x"),
    dict(text=[image]),
    dict(text=[document]),
    dict(text=[{"type": "tool_result", "tool_use_id": "a", "content": [image]}]),
    dict(max_tokens=10**9),
    dict(messages=[]),
    dict(text="x" * 5_000_000),
    dict(path="/v1/files"),
    dict(path="/v1/messages/batches"),
    dict(headers={"x-api-key": "wrong"}),
]
for question in questions:
    status, answer, headers = ask(**question)
    assert answer["type"] == "error" and headers["x-should-retry"] == "false", answer
    print(status, answer["error"]["type"], "|", answer["error"]["message"])
deep = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", b"[" * 100000, {"x-api-key": os.environ["ANTHROPIC_API_KEY"]})
for body in (b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b"", b"null", b"\\xff"):
    try:
        opener.open(urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", body, {"x-api-key": os.environ["ANTHROPIC_API_KEY"]}))
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["error"]["message"][:40])
print("val_bpb: 1")
`,
    () => says('never'),
  );
  await night.run();
  const lines = (await night.log(0)).split(/\r?\n/).filter(line => /^\d{3} /.test(line));
  expect(lines.map(line => line.replace(/ \|.*/, ''))).toEqual([
    '404 not_found_error',
    ...Array(10).fill('400 invalid_request_error'),
    '413 request_too_large',
    ...Array(2).fill('404 not_found_error'),
    '401 authentication_error',
    ...Array(2).fill(expect.stringMatching(/^400 The body is/)),
    ...Array(3).fill(expect.stringMatching(/^400 /)),
  ]);
  expect(lines[0]).toContain('allows only the model claude-haiku-5-5, not "claude-opus-5-5"');
  expect(lines[1]).toContain('only tools that the program runs itself can be used');
  expect(lines[4]).toContain('"mcp_servers" is not supported by Pawl');
  expect(night.server.requests).toHaveLength(0);
  expect(night.calls(0)).toEqual([]);
});

test('a key of the user’s goes to no server that only the contract names', async () => {
  const night = await askingNight(SCORE, () => says('1.5'), {
    environment: { ANTHROPIC_BASE_URL: undefined },
  });
  await night.run();
  expect(await night.log(0)).toContain('val_bpb: 1.5');
  expect(keyOf(night.server.requests[0])).toMatch(/none$/);
});

test('where the training has the machine’s network it asks at a port of the machine', async () => {
  const night = await askingNight(
    `${SCORE}\nprint("at", os.environ["ANTHROPIC_BASE_URL"])\n`,
    () => says('1.5'),
    {
      tables: '[sandbox]\nnetwork = true\n',
    },
  );
  await night.run();
  expect(await night.log(0)).toMatch(/val_bpb: 1\.5\r?\nat http:\/\/127\.0\.0\.1:(?!8473)\d+/);
  expect(night.server.requests).toHaveLength(1);
});

test('a server that leads elsewhere is not followed with the key', async () => {
  const elsewhere = await modelServer(() => says('never'));
  const server = await modelServer(() => ({
    kind: 'error',
    status: 307,
    headers: { location: `${elsewhere.url}/v1/messages` },
  }));
  const { messages } = clientFor({ baseUrl: server.url }, KEY);
  const call = messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] });
  await expect(call).rejects.toThrow();
  expect([server.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
});

test('no headers of a training are passed on', async () => {
  const night = await askingNight(
    `
ask("first", headers={"anthropic-beta": "mcp-client-2025-11-20", "x-evil": "1", "cookie": "a=b"}, path="/v1/messages?beta=true")
print("val_bpb: 1")
`,
    () => says('yes'),
  );
  await night.run();
  const [request] = night.server.requests;
  expect(request?.headers).not.toHaveProperty('anthropic-beta');
  expect(request?.headers).not.toHaveProperty('x-evil');
  expect(request?.headers).not.toHaveProperty('cookie');
  expect(request?.query).toEqual({});
});

test('a study that could not ask its model is not begun', async () => {
  const begin = (environment: Record<string, string | undefined>, model?: string) =>
    askingNight(SCORE, () => says('1'), { environment, ...(model ? { model } : {}) });
  await expect(begin({}, 'a-model-without-a-price')).rejects.toThrow(
    /knows no price for it, so it cannot enforce a spend cap/,
  );
  await expect(begin({ ANTHROPIC_API_KEY: 'a\u00e9' })).rejects.toThrow(PawlError);
});

test('what a run was given answers no more when the run is over', async () => {
  const night = await askingNight(
    `
print("at", os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"])
print("val_bpb: 1")
`,
    () => says('yes'),
    { environment: { PAWL_SANDBOX: 'off' } },
  );
  await night.run();
  const [, url = ''] = /at (http:\/\/127\.0\.0\.1:\d+) pawl-[0-9a-f]{64}/.exec(await night.log(0)) ?? [];
  expect(url).not.toBe('');
  await expect(fetch(`${url}/v1/messages`, { method: 'POST' })).rejects.toThrow();
});

test.each(WALLS)('a run that waits for an answer ends when its time is over (%s)', async (_, mode) => {
  const night = await askingNight(SCORE, () => ({ kind: 'hang' }), {
    environment: { PAWL_SANDBOX: mode },
    limitSeconds: 6,
  });
  expect(await night.run()).toBe('baseline_failed');
  // Asked to end it ends; nothing has to be killed when five seconds more have passed.
  const run = night.events.find(({ type }) => type === 'run_finished');
  expect(run?.type === 'run_finished' && run.seconds).toBeLessThan(10 * slowness());
  expect(night.calls(0)).toMatchObject([{ outcome: 'cancelled' }]);
  await checkNight(night);
});

async function asking(maxQuestions: number) {
  const server = new MessagesServer({
    ...{ model: 'm', token: 'token', maxQuestions },
    answer: async () => ({ status: 500, type: 'api_error', message: 'never' }),
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return async (body: unknown, token = 'token') => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/messages`, {
      ...{ method: 'POST', headers: { 'x-api-key': token }, body: JSON.stringify(body) },
    });
    const { error } = (await response.json()) as { error: { message: string } };
    return `${response.status} ${error.message}`;
  };
}

test('a question of more parts than anybody asks is refused before each of them is looked at', async () => {
  const ask = await asking(10);
  const many = Array(900_000).fill({});
  const bare = { model: 'm', max_tokens: 1 };
  for (const body of [
    { ...bare, messages: many },
    { ...bare, messages: [{ role: 'user', content: many }] },
    Object.fromEntries([...many.keys()].slice(0, 100_000).map(name => [name, 1])),
    many,
  ]) {
    expect(await ask(body)).toBe('400 The body contains more than 20000 values.');
  }
  const messages = Array(4_000).fill({ role: 'user', content: 'x' });
  expect(await ask({ ...bare, messages })).toBe('500 never');
});

test('refused questions count towards what a run may ask, those without the token do not', async () => {
  const ask = await asking(2);
  expect(await ask({}, 'wrong')).toMatch(/^401 /);
  expect(await ask({})).toMatch(/^400 model: /);
  expect(await ask({})).toMatch(/^400 model: /);
  const none = '400 This run has asked 2 questions; Pawl answers no more.';
  expect(await ask({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] })).toBe(none);
});
