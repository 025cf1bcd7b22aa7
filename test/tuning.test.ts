import { expect, test } from 'vitest';
import { openTuning, type Tuning } from '../src/engine/proposers/briefing/tunings.ts';
import type { ProposalRequest } from '../src/engine/proposers/proposer.ts';
import { findTurns } from '../src/engine/proposers/search/turns.ts';
import { bodyOf, lastText, modelNight, proposal, use } from './support/model-night.ts';
import type { Reply } from './support/model-server.ts';
import { checkNight, rowsOf } from './support/study.ts';

const TUNING = {
  hypothesis: 'The rate is not where it should be',
  rationale: 'Nobody has looked for it yet.',
  constants: [{ file: 'train.sh', name: 'LR', low: 1, high: 8 }],
  experiments: 3,
};

const tune = (changes: Partial<typeof TUNING> = {}): Reply => ({
  kind: 'message',
  blocks: [use('tune_constants', { ...TUNING, ...changes })],
});

test('constants handed over are tried by the search within their ranges, and the model sees what came of it', async () => {
  const night = await modelNight((_, index) => (index === 0 ? tune() : proposal('DEPTH=4', 'DEPTH=8')), {
    experiments: 4,
  });
  expect(await night.run()).toBe('experiments');
  expect(night.server.requests).toHaveLength(2);
  const { ledger } = night.engine;
  const experiments = [1, 2, 3, 4].map(n => ledger.experiments.get(night.studyId, n));
  expect(experiments.map(found => found?.proposal?.category)).toEqual([
    'tuning',
    'tuning',
    'tuning',
    'constant',
  ]);
  for (const found of experiments.slice(0, 3)) {
    const to = /^(?:Raise|Lower) LR from \d+ to (\d+)$/.exec(found?.proposal?.hypothesis ?? '')?.[1];
    expect(Number(to)).toBeGreaterThanOrEqual(1);
    expect(Number(to)).toBeLessThanOrEqual(8);
  }
  expect(experiments[0]?.proposal?.rationale).toContain('Nobody has looked for it yet.');
  expect(experiments[1]?.proposal?.rationale).toContain('the tuning that began with #1');
  const told = lastText(night.server.requests[1]);
  expect(told).toContain('## Tuned by the search\\n- #1 to #3, LR (1 to 8): 2 of 3 kept, -0.02 in all');
  expect(told).toContain('- #3 keep, better 1.0448 (-0.01): Raise LR from 3 to 4 [tuning]');
  await checkNight(night);
});

test('what the search cannot turn comes back to be mended', async () => {
  const wrong: readonly [Partial<typeof TUNING>, string][] = [
    [{ constants: [{ file: 'train.sh', name: 'NONE', low: 1, high: 8 }] }, 'has no constant NONE'],
    [{ constants: [{ file: 'train.sh', name: 'LR', low: 4, high: 8 }] }, 'must contain its value 2'],
    [
      { constants: [{ file: 'prepare.sh', name: 'LR', low: 1, high: 8 }] },
      'prepare.sh is not an editable file.',
    ],
    [{ experiments: 1 }, 'The input is not valid: experiments'],
  ];
  for (const [changes, message] of wrong) {
    const night = await modelNight((_, index) => (index === 0 ? tune(changes) : tune({ experiments: 2 })), {
      experiments: 1,
    });
    expect(await night.run()).toBe('experiments');
    expect(lastText(night.server.requests[1])).toContain(message);
    expect(bodyOf(night.server.requests[1]).tools.map(({ name }) => name)).toContain('tune_constants');
  }
});

test('a tuning with nothing left in its ranges gives the turn back to the model', async () => {
  const small = tune({ constants: [{ file: 'train.sh', name: 'LR', low: 1, high: 2 }], experiments: 10 });
  const night = await modelNight((_, index) => (index === 0 ? small : proposal('DEPTH=4', 'DEPTH=8')), {
    experiments: 2,
  });
  expect(await night.run()).toBe('experiments');
  // 2 is what it is, so only 1 was left to try.
  expect(rowsOf(night.home).experiments.map(({ hypothesis }) => hypothesis)).toEqual([
    'Baseline: the code as it is',
    'Lower LR from 2 to 1',
    'DEPTH=4 becomes DEPTH=8',
  ]);
  await checkNight(night);
});

test.each([true, false])('a tuning goes on after a stop (looking ahead: %s)', async isLookingAhead => {
  const night = await modelNight(() => tune({ experiments: 4 }), { experiments: 2, isLookingAhead });
  await night.run();
  await night.engine.run(night.studyId, { stop: { experiments: 4 } }, () => {});
  expect(night.server.requests).toHaveLength(1);
  expect(rowsOf(night.home).experiments).toHaveLength(5);
  expect(night.engine.ledger.refusals.list(night.studyId)).toEqual([]);
  await checkNight(night);
});

test('in turns with another proposer a tuning goes on', async () => {
  const night = await modelNight(() => tune({ experiments: 3 }), { experiments: 6, route: 'alternate' });
  expect(await night.run()).toBe('experiments');
  expect(night.server.requests).toHaveLength(1);
  await checkNight(night);
});

test('a mend need not answer the same note again', async () => {
  const replies = [proposal('LR=2', 'LR=8; exit 3', { answer: 'I do.' }), proposal('LR=8; exit 3', 'LR=8')];
  const night = await modelNight((_, index) => replies[index] as Reply, { experiments: 1 });
  const { ledger } = night.engine;
  ledger.write(() => ledger.marks.add(night.studyId, 'steered', 'Mind the rate.', Date.now()));
  expect(await night.run()).toBe('experiments');
  expect(night.server.requests).toHaveLength(2);
});

test('a word of the user ends a tuning', () => {
  const tuning: Tuning = { ...TUNING, first: 5, left: 2 };
  const request = (changes: Partial<ProposalRequest>) =>
    ({
      ...{ n: 7, history: [{ n: 6, memo: { tuning } }], running: [], steering: [], refusals: [] },
      ...changes,
    }) as unknown as ProposalRequest;
  const note = (n: number) => [{ n, at: 0, text: 'Leave the rate alone.' }];
  const refusal = (n: number, reason: string) => [
    { n, reason, at: 0, message: '', hypothesis: null, memo: null },
  ];
  expect(openTuning(request({}))).toEqual(tuning);
  expect(openTuning(request({ steering: note(5) }))).toEqual(tuning);
  expect(openTuning(request({ steering: note(6) }))).toBeNull();
  expect(openTuning(request({ refusals: refusal(7, 'duplicate') }))).toEqual(tuning);
  expect(openTuning(request({ refusals: refusal(4, 'rejected') }))).toEqual(tuning);
  expect(openTuning(request({ refusals: refusal(7, 'rejected') }))).toBeNull();
  // Another proposer's turn in between ends nothing, a proposal of the model's own does.
  const running = (memo: unknown) => ({ running: [{ n: 7, hypothesis: '', category: null, memo }] });
  expect(openTuning(request(running({ moves: [], values: '' })))).toEqual(tuning);
  expect(openTuning(request(running({ agent: 'claude', model: null })))).toEqual(tuning);
  expect(openTuning(request(running({ model: 'claude-opus-5-5' })))).toBeNull();
  // Values that were tried before cost a few tries, and then the model has its turn.
  const tried = (left: number) => ({ ...refusal(7, 'duplicate')[0], memo: { tuning: { ...tuning, left } } });
  const same = [tried(1), tried(0)] as unknown as ProposalRequest['refusals'];
  expect(openTuning(request({ refusals: same.slice(0, 1) }))?.left).toBe(1);
  expect(openTuning(request({ refusals: same }))).toBeNull();
});

test('the same constant turned the same way is told, whatever the words', async () => {
  const replies = [
    proposal('LR=2', 'LR=1', { hypothesis: 'Step more carefully' }),
    proposal('LR=2', 'LR=0', { hypothesis: 'Small strides win the race' }),
    proposal('LR=2', 'LR=0', { hypothesis: 'Small strides win the race', differs: 'None at all this time.' }),
    proposal('LR=2', 'LR=8', { hypothesis: 'Run' }),
  ];
  const night = await modelNight((_, index) => replies[index] as Reply, { experiments: 3 });
  expect(await night.run()).toBe('experiments');
  expect(lastText(night.server.requests[2])).toContain(
    '#1 discard, worse: it turned LR the same way, from 2 to 1',
  );
  // The other way nothing is asked.
  expect(night.server.requests).toHaveLength(4);
  await checkNight(night);
});

test('a new note of the user has to be answered, once', async () => {
  const replies = [
    proposal('LR=2', 'LR=8'),
    proposal('LR=2', 'LR=8', { answer: 'Depth comes next.' }),
    proposal('DEPTH=4', 'DEPTH=8'),
  ];
  const night = await modelNight((_, index) => replies[index] as Reply, { experiments: 2 });
  const { ledger } = night.engine;
  ledger.write(() => ledger.marks.add(night.studyId, 'steered', 'Try the depth.', Date.now()));
  expect(await night.run()).toBe('experiments');
  expect(night.server.requests).toHaveLength(3);
  expect(lastText(night.server.requests[1])).toContain('The user wrote to you: Try the depth.');
  expect(ledger.experiments.get(night.studyId, 1)?.proposal?.rationale).toContain(
    'To your note: Depth comes next.',
  );
  await checkNight(night);
});

test('turns are found by value', () => {
  const before = 'A = 1\nB = 2**4\nC = 0.5\nD = True\nE = 3\n';
  const after = 'A = 2\nB = 2**3\nC = 0.50\nD = False\nF = 3\n';
  expect(findTurns('x.py', before, after).map(({ name, direction }) => `${name} ${direction}`)).toEqual([
    'A up',
    'B down',
    'C other',
    'D other',
  ]);
});
