import { expect, test } from 'vitest';
import { readProposerRecords } from '../src/engine/api/proposer-records.ts';
import { logged } from '../src/engine/proposers/logged.ts';
import type { ProposalRequest, Proposer, ProposerContext } from '../src/engine/proposers/proposer.ts';
import { restsUntil } from '../src/engine/proposers/rest.ts';
import { type Rest, routeProposer } from '../src/engine/proposers/route.ts';
import type { ProposerCall } from '../src/engine/store/proposer-calls.ts';
import { eventSchema } from '../src/shared/events.ts';
import { modelNight, proposal } from './support/model-night.ts';
import { checkNight, rowsOf } from './support/study.ts';

const MODEL = 'model claude-opus-5-5';
const MINUTE = 60_000;

const calls = (...outcomes: ProposerCall['outcome'][]): ProposerCall[] =>
  outcomes.map((outcome, index) => ({
    ...{ n: 1, at: 1_000_000 - index, proposer: 'model', message: null, seconds: 0 },
    outcome,
  }));

test('a proposer rests after three failures of a kind, longer with each, or at once where only others can help', () => {
  expect(restsUntil([])).toBeNull();
  expect(restsUntil(calls('failed', 'failed'))).toBeNull();
  expect(restsUntil(calls('failed', 'failed', 'blocked', 'failed'))).toBeNull();
  expect(restsUntil(calls('failed', 'failed', 'failed', 'proposed'))).toBe(1_000_000 + 5 * MINUTE);
  expect(restsUntil(calls('failed', 'failed', 'failed', 'failed', 'blocked'))).toBe(1_000_000 + 10 * MINUTE);
  expect(restsUntil(calls('blocked'))).toBe(1_000_000 + 30 * MINUTE);
  expect(restsUntil(calls('blocked', 'blocked', 'blocked', 'blocked'))).toBe(1_000_000 + 30 * MINUTE);
  expect(restsUntil(calls(...Array<'failed'>(12).fill('failed')))).toBe(1_000_000 + 120 * MINUTE);
  expect(restsUntil(calls('proposed', 'failed', 'failed', 'failed'))).toBeNull();
});

test.each(['fallback', 'stand_in'] as const)(
  '%s: while the first cannot propose the next does, and the first is asked again in half an hour',
  async route => {
    let time = Date.now();
    const night = await modelNight(() => ({ kind: 'error', status: 401 }), {
      experiments: 6,
      route,
      now: () => time,
    });
    expect(await night.run()).toBe('experiments');
    const { ledger } = night.engine;
    expect(ledger.marks.ofKind(night.studyId, 'rested').map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^model claude-opus-5-5 could not propose\. .*rejected the key.* The search stands in; it is asked again after 30 min\.$/,
      ),
      'model claude-opus-5-5 did not propose again. Meanwhile search proposed 6 experiments: #1, #2, #3, #4, #5, #6.',
    ]);
    expect(night.events.map(event => eventSchema.parse(event))).toEqual(night.events);
    // It was asked once; then it rested.
    expect(night.server.requests).toHaveLength(1);
    expect(rowsOf(night.home).experiments.filter(({ phase }) => phase === 'recorded')).toHaveLength(7);
    const [model, search] = readProposerRecords(night.engine.ledger, night.studyId);
    expect(model).toMatchObject({
      proposer: MODEL,
      calls: 1,
      proposed: 0,
      failures: [{ outcome: 'blocked', count: 1, last: expect.stringContaining('rejected the key') }],
      experiments: 0,
    });
    expect(model?.restsUntil).toBeGreaterThan(time);
    expect(search).toMatchObject({
      proposer: 'search',
      calls: 6,
      proposed: 6,
      experiments: 6,
      restsUntil: null,
    });
    time += 6 * MINUTE;
    await night.engine.run(night.studyId, { stop: { experiments: 8 } }, () => {});
    // A new sitting: the user may have mended it, so it is asked again.
    expect(night.server.requests).toHaveLength(2);
    await checkNight(night);
  },
);

test('a sign-in that expires in the night costs no training time: the search stands in until it is renewed', async () => {
  let time = Date.now();
  let isExpired = true;
  const night = await modelNight(
    () => (isExpired ? { kind: 'error', status: 401 } : proposal('LR=', 'LR=7', { differs: 'Yes.' })),
    { experiments: 7, route: 'stand_in', now: () => time, isLookingAhead: true },
  );
  const { ledger } = night.engine;
  const running = night.run();
  await night.untilCount('verdict', 3);
  time += 31 * MINUTE;
  isExpired = false;
  expect(await running).toBe('experiments');
  const rows = rowsOf(night.home).experiments;
  expect(rows.map(({ phase }) => phase)).toEqual(Array(8).fill('recorded'));
  // Two lines and one notification, however often it was tried in vain.
  const marks = ledger.marks.ofKind(night.studyId, 'rested').map(({ text }) => text);
  expect(marks).toEqual([
    expect.stringContaining('The search stands in'),
    expect.stringMatching(
      /^model claude-opus-5-5 proposed again\. Meanwhile search proposed \d experiments: #1, #2/,
    ),
  ]);
  expect(ledger.marks.ofKind(night.studyId, 'paused')).toEqual([]);
  await checkNight(night);
});

test('where the others only stand in, what the first hands in badly is not theirs to do at once', async () => {
  const prose = {
    kind: 'message',
    usage: { input: 1, cacheRead: 0, cacheWrite: 0, output: 1 },
    blocks: [],
  } as const;
  const night = await modelNight((_, index) => (index < 2 ? prose : proposal('LR=2', 'LR=8')), {
    experiments: 1,
    route: 'stand_in',
  });
  expect(await night.run()).toBe('experiments');
  expect(night.engine.ledger.proposerCalls.author(night.studyId, 1)).toBe(MODEL);
});

test('in turns each proposer has its own experiments, results and cost', async () => {
  const constants = ['LR=2', 'DEPTH=4', 'WIDTH=16'];
  let turn = 0;
  const night = await modelNight(
    request => {
      const source = JSON.stringify(request.body);
      const from = constants.find(constant => source.includes(`${constant}\\n`)) ?? 'LR=';
      turn += 1;
      return proposal(from, `${from.split('=')[0]}=8`, {
        hypothesis: `Turn ${turn}: another ${from}`,
        differs: 'Yes.',
      });
    },
    { experiments: 4, route: 'alternate' },
  );
  expect(await night.run()).toBe('experiments');
  const { ledger } = night.engine;
  expect([1, 2, 3, 4].map(n => ledger.proposerCalls.author(night.studyId, n))).toEqual([
    MODEL,
    'search',
    MODEL,
    'search',
  ]);
  const [model, search] = readProposerRecords(ledger, night.studyId);
  expect(model).toMatchObject({ experiments: 2, failures: [] });
  expect(model?.costUsd).toBeCloseTo(0.0496);
  expect(model?.gainShare).toBeGreaterThan(0);
  const { keep, baseline, best } = ledger.experiments.tally(night.studyId, 'minimize');
  expect(keep).toBeGreaterThan(2);
  const gain = ((baseline ?? Number.NaN) - (best ?? Number.NaN)) / Math.abs(baseline ?? Number.NaN);
  expect((model?.gainShare ?? 0) + (search?.gainShare ?? 0)).toBeCloseTo(gain, 12);
  expect(search).toMatchObject({ experiments: 2, costUsd: null });
  expect((model?.keep ?? 0) + (model?.discard ?? 0) + (model?.crash ?? 0)).toBe(2);
  // Over all studies it is the same, for there is one.
  expect(readProposerRecords(ledger, null)).toEqual([model, search]);
  await checkNight(night);
});

test('what a failed arm left in the files is gone before the next is asked', async () => {
  const night = await modelNight(
    (_, index) => (index === 0 ? proposal('LR=2', 'LR=9') : { kind: 'error', status: 403 }),
    { experiments: 2, route: 'alternate' },
  );
  await night.run();
  await checkNight(night);
});

test('a crash goes back to who made it', async () => {
  const night = await modelNight(
    (_, index) => (index === 0 ? proposal('LR=2', 'LR=8; exit 3') : proposal('LR=8; exit 3', 'LR=8')),
    { experiments: 1, route: 'alternate' },
  );
  await night.run();
  expect(night.server.requests).toHaveLength(2);
  expect(rowsOf(night.home).experiments[1]?.verdict).toBe('keep');
});

test('one proposer cannot be two arms', async () => {
  await expect(
    (async () => {
      const night = await modelNight(() => proposal('LR=2', 'LR=8'));
      const model = night.engine.ledger.studies.get(night.studyId)?.proposer;
      if (model?.kind !== 'model') throw new Error('no model');
      await night.engine.createStudy({
        repositoryPath: night.repository,
        tag: 'twice',
        proposer: { kind: 'route', mode: 'fallback', arms: [model, model] },
      });
    })(),
  ).rejects.toThrow(/named twice/);
});

test('who hands in what is refused has had its turn, and the next is asked', async () => {
  const night = await modelNight(
    () => proposal('DEPTH=4', 'DEPTH=3', { differs: 'Yes.', category: 'same' }),
    {
      experiments: 2,
      route: 'fallback',
    },
  );
  expect(await night.run()).toBe('experiments');
  expect([1, 2].map(n => night.engine.ledger.proposerCalls.author(night.studyId, n))).toEqual([
    MODEL,
    'search',
  ]);
  // One that was tried, and two that were the same again.
  expect(night.server.requests).toHaveLength(3);
  expect(rowsOf(night.home).refusals.map(({ reason }) => reason)).toEqual(['duplicate', 'duplicate']);
});

/** Two arms, of which the first is blocked and can start anywhere, and the second has nothing and knows the incumbent only. */
async function twoArms() {
  const night = await modelNight(() => ({ kind: 'error', status: 401 }), {
    experiments: 9,
    route: 'fallback',
  });
  const rests: Rest[] = [];
  const ports = {
    ledger: night.engine.ledger,
    studyId: night.studyId,
    now: Date.now,
    onThought: () => {},
    onRest: (rest: Rest) => rests.push(rest),
    onRested: () => {},
  };
  const nothing: Proposer = {
    canRepair: false,
    maxRefusals: 1,
    propose: async () => ({ kind: 'exhausted', message: 'All are tried.' }),
  };
  const failing: Proposer = {
    ...nothing,
    canStartElsewhere: () => true,
    propose: async () => ({ kind: 'blocked', message: 'no key' }),
  };
  const calls = { ledger: ports.ledger, studyId: ports.studyId, now: Date.now };
  const route = routeProposer(
    'fallback',
    [
      { label: 'a', proposer: logged('a', failing, false, calls) },
      { label: 'b', proposer: logged('b', nothing, true, calls) },
    ],
    ports,
  );
  const request = { n: 1, refusals: [], repair: null, start: { n: 0 }, incumbent: { n: 0 } };
  const context = { signal: new AbortController().signal, reset: async () => {} };
  return {
    rests,
    route,
    request: request as unknown as ProposalRequest,
    context: context as unknown as ProposerContext,
  };
}

test('while one rests the others having nothing is no end', async () => {
  const { rests, route, request, context } = await twoArms();
  expect(route.canStartElsewhere?.(1)).toBe(true);
  const kinds: string[] = [];
  for (let asked = 0; asked < 4; asked += 1) kinds.push((await route.propose(request, context)).kind);
  expect(kinds).toEqual(['blocked', 'blocked', 'blocked', 'blocked']);
  expect(await route.propose(request, context)).toMatchObject({
    message: expect.stringContaining('Resting after failures: a'),
  });
  // Told once for each rest, and b began to rest as well, after its third.
  expect(rests.map(({ proposer, message, standIn }) => [proposer, message, standIn])).toEqual([
    ['a', 'no key', 'b'],
    ['b', 'All are tried.', null],
  ]);
  // Who stands in knows the incumbent only.
  expect(route.canStartElsewhere?.(1)).toBe(false);
});

test('on another line nobody stands in who knows the incumbent only', async () => {
  const { route, request, context } = await twoArms();
  const elsewhere = { ...request, start: { ...request.start, n: 3 } };
  expect(await route.propose(elsewhere, context)).toMatchObject({
    ...{ kind: 'failed', message: 'a has nothing for another line.' },
  });
});
