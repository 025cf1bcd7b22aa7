import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { slowness } from './support/clock.ts';
import {
  BETTER,
  bodyOf,
  KEY,
  lastText,
  type ModelNight,
  modelNight,
  proposal,
  use,
  words,
} from './support/model-night.ts';
import type { Reply } from './support/model-server.ts';
import { FAST_TRAINER } from './support/scaffold.ts';
import { checkNight, rowsOf } from './support/study.ts';

type Message = Extract<Reply, { kind: 'message' }>;

/** Of a night whose first experiment after the baseline is to be kept in the end. */
const verdictOf = ({ home }: ModelNight) => rowsOf(home).experiments[1]?.verdict;

test.each<readonly [string, Reply, string, number]>([
  ['429', { kind: 'error', status: 429, headers: { 'retry-after': '7' } }, 'rate_limited', 7_000],
  ['500', { kind: 'error', status: 500 }, 'server_error', 1_000],
  ['529', { kind: 'error', status: 529 }, 'overloaded', 1_000],
  [
    'an overload in the stream',
    { kind: 'error_event', after: [], type: 'overloaded_error', message: 'busy' },
    'overloaded',
    1_000,
  ],
  ['a lost connection', { kind: 'cut', after: [{ type: 'text', text: 'I think' }] }, 'broken_stream', 1_000],
  [
    'a stream without an end',
    { kind: 'unfinished', after: [{ type: 'text', text: 'I think' }] },
    'broken_stream',
    1_000,
  ],
  ['a sign-in page', { kind: 'garbage' }, 'broken_stream', 1_000],
  [
    'broken tool input',
    { kind: 'message', blocks: [use('submit_proposal', { rawJson: '{"hypothesis": nope}' })] },
    'bad_tool_input',
    1_000,
  ],
  ['silence', { kind: 'hang', after: [{ type: 'text', text: 'I think' }] }, 'timeout', 1_000],
])('%s passes: the call is made again', async (_, trouble, outcome, wait) => {
  const night = await modelNight([trouble], {
    // Long enough for the second call to be answered in, and waited for where the first is not.
    ...(trouble.kind === 'hang' ? { silenceMs: 1_000 * slowness() } : {}),
  });
  expect(await night.run()).toBe('experiments');
  expect(night.callsOf(1).map(call => call.outcome)).toEqual([outcome, 'ok']);
  expect(night.waits).toEqual([wait]);
  expect(rowsOf(night.home)).toMatchObject({ refusals: [], experiments: [{}, { verdict: 'keep' }] });
});

test.each<readonly [string, Reply, string]>([
  ['401', { kind: 'error', status: 401, message: 'invalid x-api-key' }, 'unauthorized'],
  ['403', { kind: 'error', status: 403 }, 'unauthorized'],
  ['400', { kind: 'error', status: 400, message: 'model: unknown' }, 'bad_request'],
  ['404', { kind: 'error', status: 404 }, 'bad_request'],
])('%s needs the user: the study pauses, says so, and goes on when told to', async (_, trouble, outcome) => {
  const night = await modelNight([trouble]);
  const ended = night.run();
  const { message } = await Promise.race([
    night.until('warning'),
    ended.then(() => Promise.reject(new Error('ended'))),
  ]);
  expect(message).toMatch(/^The proposer needs you\./);
  await night.until('study_paused');
  expect(night.callsOf(1).map(call => [call.outcome, call.costUsd])).toEqual([[outcome, 0]]);
  night.engine.request('continue');
  expect(await ended).toBe('experiments');
  expect(verdictOf(night)).toBe('keep');
});

test('an outage that does not end needs the user', async () => {
  const night = await modelNight(() => ({ kind: 'error', status: 529 }));
  const { ended } = await night.runToPause();
  const waited = night.waits.reduce((sum, wait) => sum + wait, 0);
  expect(waited).toBeGreaterThan(500_000);
  expect(waited).toBeLessThanOrEqual(600_000);
  night.engine.request('stop');
  night.engine.request('continue');
  expect(await ended).toBe('user');
});

test('a prompt that is too large is made shorter', async () => {
  const night = await modelNight([{ kind: 'error', status: 413 }]);
  await night.run();
  const [first, second] = night.server.requests.map(request => JSON.stringify(request.body).length);
  expect(second).toBeLessThan(first ?? 0);
  expect(night.callsOf(1).map(call => call.outcome)).toEqual(['too_large', 'ok']);
});

test('an answer that was cut off is asked for again with more room, and then given up', async () => {
  const cut: Reply = { ...(words('Let me') as Message), stopReason: 'max_tokens' };
  const night = await modelNight([cut, cut]);
  await night.run();
  const rooms = night.server.requests.map(request => bodyOf(request).max_tokens);
  expect(rooms.slice(0, 2)).toEqual([16_000, 48_000]);
  expect(rowsOf(night.home).refusals).toMatchObject([{ message: 'The answer was cut off twice.' }]);
  expect(night.callsOf(1).map(call => call.outcome)).toEqual(['truncated', 'truncated', 'ok']);
});

test('a model that declines, says nothing, or talks is asked again', async () => {
  const night = await modelNight([
    { ...(words('No.') as Message), stopReason: 'refusal' },
    { kind: 'message', blocks: [] },
    words('I would raise the rate.'),
  ]);
  await night.run();
  expect(rowsOf(night.home).refusals).toMatchObject([{ message: 'The model declined to answer.' }]);
  expect(lastText(night.server.requests[3])).toContain('submit_proposal now');
  expect(verdictOf(night)).toBe('keep');
});

test('why a model declined is in the ledger, and seen while it is so', async () => {
  const why = { type: 'refusal', category: 'frontier_llm', explanation: 'Not \u001b[31mthis.' } as const;
  const declined: Reply = { kind: 'message', blocks: [], stopReason: 'refusal', stopDetails: why };
  const night = await modelNight([declined, { kind: 'hang' }]);
  const end = night.run();
  const said = 'The model declined to answer (frontier llm): Not this.';
  expect((await night.until('thought')).text).toBe(said);
  night.engine.request('stop_now');
  await end;
  expect(night.callsOf(1)[0]).toMatchObject({ outcome: 'refusal', message: said });
  expect(rowsOf(night.home).refusals).toMatchObject([{ message: said }]);
});

test('that another model answered is in the ledger, at its own price, and seen while it does', async () => {
  const usage = { input: 0, output: 1_000_000 };
  const night = await modelNight([
    {
      ...{ kind: 'message', model: 'claude-opus-4-8', usage, pings: 10 },
      blocks: [{ type: 'thinking', thinking: 'Which file?' }, use('list_files', {})],
    },
    { ...(BETTER as Message), usage, model: 'claude-opus-5-5-20260901' },
  ]);
  await night.run();
  const said = 'claude-opus-4-8 answered instead of claude-opus-5-5.';
  expect((await night.until('thought')).text).toBe(`Which file?\n\n${said}`);
  expect(night.callsOf(1)).toMatchObject([
    { outcome: 'ok', model: 'claude-opus-5-5', costUsd: 25, message: said },
    // A date behind the name is the same model.
    { outcome: 'ok', model: 'claude-opus-5-5', costUsd: 20, message: null },
  ]);
});

test('stop now ends a call at once, and what it could have cost counts', async () => {
  const night = await modelNight(() => ({ kind: 'hang', after: [{ type: 'thinking', thinking: 'Well' }] }));
  const ended = night.run();
  await night.until('thought');
  night.engine.request('stop_now');
  expect(await ended).toBe('user');
  expect(night.callsOf(1).map(call => call.outcome)).toEqual(['cancelled']);
  expect(night.engine.ledger.modelCalls.committedUsd(night.studyId, 0)).toBeGreaterThan(0.3);
});

test('thirty experiments run through a server that fails a third of the calls, and all of it is accounted for', async () => {
  const troubles: readonly Reply[] = [
    { kind: 'error', status: 429, headers: { 'retry-after': '1' } },
    { kind: 'error', status: 529 },
    { kind: 'cut', after: [{ type: 'text', text: 'Hm' }] },
    { kind: 'error', status: 500 },
    { kind: 'garbage' },
    { kind: 'error_event', after: [], type: 'overloaded_error', message: 'busy' },
  ];
  let proposals = 0;
  const night = await modelNight(
    (_, index) => {
      if (index % 3 === 1) return troubles[Math.floor(index / 3) % troubles.length] ?? BETTER;
      proposals += 1;
      const content = FAST_TRAINER.replace('WIDTH=16', `WIDTH=${100 + proposals}`);
      return proposal('', '', {
        hypothesis: `Width number ${proposals} of many`,
        category: `kind ${proposals % 4}`,
        differs: 'Another width.',
        edits: [{ path: 'train.sh', content }],
      });
    },
    { experiments: 30 },
  );
  expect(await night.run()).toBe('experiments');
  const { experiments, refusals } = rowsOf(night.home);
  expect(experiments.filter(({ phase }) => phase === 'recorded')).toHaveLength(31);
  expect(refusals).toEqual([]);
  const calls = experiments.flatMap(({ n }) => night.callsOf(n));
  expect(calls).toHaveLength(night.server.requests.length);
  expect(calls.filter(({ outcome }) => outcome === 'ok')).toHaveLength(30);
  expect(calls.filter(({ outcome }) => outcome === 'open')).toHaveLength(0);
  const spend = night.engine.ledger.modelCalls.spend(night.studyId);
  expect(spend).toMatchObject({ calls: calls.length, failed: calls.length - 30, unpriced: 0 });
  expect(spend.outputTokens).toBeGreaterThanOrEqual(30 * 500);
  await checkNight(night);
  // The key is nowhere in what was written.
  for (const file of await readdir(night.home, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    expect((await readFile(join(file.parentPath, file.name))).includes(KEY), file.name).toBe(false);
  }
  expect(JSON.stringify(night.events)).not.toContain(KEY);
});

test('a server that works in silence but pings is not given up', async () => {
  // 50 ms lie between two pings.
  const silenceMs = 400 * slowness();
  const slow: Reply = { ...BETTER, pings: Math.ceil(silenceMs / 25) } as Reply;
  const night = await modelNight(() => slow, { silenceMs });
  await night.run();
  expect(night.callsOf(1).map(call => call.outcome)).toEqual(['ok']);
});

test('what needs the user is tried again by itself, for nobody may be there', async () => {
  const night = await modelNight(Array(2).fill({ kind: 'error', status: 403 }), { askAgainMs: 20 });
  expect(await night.run()).toBe('experiments');
  expect(night.events.filter(({ type }) => type === 'study_paused')).toHaveLength(2);
  expect(verdictOf(night)).toBe('keep');
});

test('stop now while the proposer needs the user leaves nothing half done', async () => {
  const night = await modelNight(() => ({ kind: 'error', status: 403 }));
  const { ended } = await night.runToPause();
  night.engine.request('stop_now');
  expect(await ended).toBe('user');
  expect(rowsOf(night.home).experiments.map(({ n }) => n)).toEqual([0]);
});

test('a server that takes requests and answers nothing cannot spend more than the cap', async () => {
  const night = await modelNight(() => ({ kind: 'hang' }), {
    // Each request has arrived by then.
    silenceMs: 500 * slowness(),
    askAgainMs: 10,
    settings: { capUsd: { study: 1, sitting: null } },
  });
  expect(await night.run()).toBe('spend');
  expect(night.engine.ledger.modelCalls.committedUsd(night.studyId, 0)).toBeLessThanOrEqual(1);
  expect(night.server.requests).toHaveLength(2);
});

test('the key is told nobody, whatever the server or the user does with it', async () => {
  const night = await modelNight(() => ({ kind: 'error', status: 401, message: `no such key: ${KEY}` }));
  const { ended } = await night.runToPause();
  expect(night.callsOf(1)[0]?.message).toContain('no such key: …');
  expect(JSON.stringify(night.events)).not.toContain(KEY);
  night.engine.request('stop_now');
  await ended;
  const odd = modelNight([], { environment: { ANTHROPIC_API_KEY: 'sk-one\nsk-two' } });
  await expect(odd).rejects.toThrow(/^The key contains invalid characters/);
});

test('headers that the user set for another server are not sent to this one', async () => {
  process.env.ANTHROPIC_CUSTOM_HEADERS = 'X-Corp-Token: secret';
  try {
    const night = await modelNight([]);
    await night.run();
    expect(night.server.requests[0]?.headers['x-corp-token']).toBeUndefined();
    expect(night.server.requests[0]?.headers['anthropic-version']).toMatch(/^\d{4}-\d\d-\d\d$/);
  } finally {
    delete process.env.ANTHROPIC_CUSTOM_HEADERS;
  }
});

test('what a server would not take back is not sent back', async () => {
  const night = await modelNight([
    { kind: 'message', blocks: [{ type: 'thinking', thinking: 'Hm.' }] },
    { kind: 'message', blocks: [{ type: 'text', text: ' ' }, use('list_files', {})] },
  ]);
  await night.run();
  for (const request of night.server.requests) {
    for (const { role, content } of bodyOf(request).messages) {
      if (role !== 'assistant' || typeof content === 'string') continue;
      expect(content.at(-1)?.type).not.toBe('thinking');
      expect(content.filter(block => block.type === 'text' && !block.text?.trim())).toEqual([]);
    }
  }
  expect(verdictOf(night)).toBe('keep');
});

test('a conversation that goes wrong is not the end of the night', async () => {
  const night = await modelNight([
    { kind: 'message', blocks: [use('list_files', {})] },
    { kind: 'error', status: 400, message: 'messages: odd' },
  ]);
  expect(await night.run()).toBe('experiments');
  expect(rowsOf(night.home).refusals).toMatchObject([{ reason: 'proposer_failed' }]);
});

test('effort is left out for a model that does not know it', async () => {
  const message = 'output_config: not supported by this model';
  const night = await modelNight([{ kind: 'error', status: 400, message }], { settings: { effort: 'high' } });
  expect(await night.run()).toBe('experiments');
  const sent = night.server.requests.map(request => Object.hasOwn(request.body as object, 'output_config'));
  expect(sent).toEqual([true, false]);
});

test('a pause that the user asks for during an outage is theirs to end', async () => {
  const wishes: (() => void)[] = [];
  const night = await modelNight(
    () => {
      for (const wish of wishes.splice(0)) wish();
      return { kind: 'error', status: 529 };
    },
    { askAgainMs: 5 },
  );
  wishes.push(() => night.engine.request('pause'));
  const { ended } = await night.runToPause();
  expect(night.events.filter(({ type }) => type === 'warning')).toEqual([]);
  night.engine.request('stop');
  expect(await ended).toBe('user');
  expect(night.events.filter(({ type }) => type === 'study_continued')).toEqual([]);
});
