import { expect, test } from 'vitest';
import { LookAhead } from '../src/engine/stages/propose/look-ahead.ts';
import { lastText, modelNight, proposal } from './support/model-night.ts';
import type { Reply } from './support/model-server.ts';
import { FAST_TRAINER, git, temporaryFolder } from './support/scaffold.ts';
import { checkNight, rowsOf, TAG } from './support/study.ts';

const sourceOf = (night: { readonly repository: string }) =>
  git(night.repository, 'show', `autoresearch/${TAG}:train.sh`);

/** Answers by the constant that is asked to move; each is a kind of its own. */
const moves = (...steps: readonly (readonly [from: string, to: string, category: string])[]) => {
  const replies: readonly Reply[] = steps.map(([from, to, category]) =>
    proposal(from, to, { category, differs: 'Yes.' }),
  );
  return (_: unknown, index: number) =>
    replies[index] ?? proposal('WIDTH=16', `WIDTH=${20 + index}`, { differs: 'Yes.' });
};

test('the next proposal is made while an experiment trains, and stands beside a discard as it is', async () => {
  const night = await modelNight(moves(['LR=2', 'LR=1', 'rate'], ['DEPTH=4', 'DEPTH=8', 'depth']), {
    experiments: 2,
    isLookingAhead: true,
  });
  const requestsAt: number[] = [];
  const ended = night.run();
  await night.until('new_best');
  await ended;
  for (const event of night.events) if (event.type === 'verdict') requestsAt.push(event.n);
  expect(night.server.requests).toHaveLength(2);
  expect(lastText(night.server.requests[1])).toContain('Experiment 1 trains now: LR=2 becomes LR=1 [rate]');
  const { experiments } = rowsOf(night.home);
  expect(experiments.map(({ verdict }) => verdict)).toEqual(['keep', 'discard', 'keep']);
  expect(await sourceOf(night)).toContain('LR=2\nDEPTH=8');
  await checkNight(night);
});

test('the first one is made while the baseline trains for the second time', async () => {
  const night = await modelNight(moves(['LR=2', 'LR=1', 'rate']), {
    experiments: 1,
    isLookingAhead: true,
    environment: { PAWL_VERDICT: 'honest' },
  });
  await night.run();
  const { ledger } = night.engine;
  const again = ledger.runs.list(night.studyId, 0).find(({ purpose }) => purpose === 'baseline');
  const [call] = ledger.proposerCalls.latest(night.studyId, 'model claude-opus-5-5', 10);
  expect(call).toMatchObject({ n: 1 });
  expect(call?.at).toBeLessThan(again?.endedAt ?? 0);
  expect(night.server.requests).toHaveLength(1);
  await checkNight(night);
});

test('after a keep it is merged with what the keep changed', async () => {
  const night = await modelNight(moves(['LR=2', 'LR=8', 'rate'], ['WIDTH=16', 'WIDTH=8', 'width']), {
    experiments: 2,
    isLookingAhead: true,
  });
  await night.run();
  expect(night.server.requests).toHaveLength(2);
  expect(rowsOf(night.home).experiments.map(({ verdict }) => verdict)).toEqual(['keep', 'keep', 'keep']);
  expect(await sourceOf(night)).toMatch(/LR=8\nDEPTH=4\nWIDTH=8/);
  await checkNight(night);
});

test.each<readonly [string, readonly [string, string, string]]>([
  ['where the two meet', ['LR=2', 'LR=9', 'other']],
  ['where the keep was of the same kind', ['WIDTH=16', 'WIDTH=8', 'rate']],
])('it is asked for again %s', async (_, second) => {
  const night = await modelNight(moves(['LR=2', 'LR=8', 'rate'], second, ['DEPTH=4', 'DEPTH=8', 'depth']), {
    experiments: 2,
    isLookingAhead: true,
  });
  await night.run();
  expect(night.server.requests).toHaveLength(3);
  expect(lastText(night.server.requests[2])).toContain('#1 keep');
  expect(await sourceOf(night)).toMatch(/LR=8\nDEPTH=8\nWIDTH=16/);
  await checkNight(night);
});

test('what goes wrong ahead is asked for again in its turn', async () => {
  const night = await modelNight(
    (_, index) =>
      index === 1
        ? { kind: 'error', status: 401 }
        : moves(['LR=2', 'LR=8', 'rate'], ['', '', ''], ['DEPTH=4', 'DEPTH=8', 'depth'])(_, index),
    { experiments: 2, isLookingAhead: true },
  );
  expect(await night.run()).toBe('experiments');
  expect(night.events.filter(({ type }) => type === 'study_paused')).toEqual([]);
  expect(rowsOf(night.home).experiments[2]?.verdict).toBe('keep');
});

test('no proposal is made that a stop rule would not let run', async () => {
  const night = await modelNight(moves(['LR=2', 'LR=8', 'rate']), { experiments: 1, isLookingAhead: true });
  await night.run();
  expect(night.server.requests).toHaveLength(1);
});

test('the end of the sitting ends what is under way', async () => {
  const night = await modelNight(
    (_, index) => (index === 0 ? proposal('LR=2', 'LR=8') : { kind: 'hang', after: [] }),
    { experiments: 2, isLookingAhead: true },
  );
  const ended = night.run();
  await night.server.waitForRequests(2);
  night.engine.request('stop_now');
  expect(await ended).toBe('user');
  expect(night.engine.ledger.modelCalls.list(night.studyId, 2).map(call => call.outcome)).toEqual([
    'cancelled',
  ]);
  await checkNight(night);
});

test('a word of the user makes what was prepared an old one', async () => {
  const ahead = new LookAhead(await temporaryFolder());
  const asked = Promise.withResolvers<AbortSignal>();
  ahead.start(3, 'a', 'told this', (_, signal) => {
    asked.resolve(signal);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const signal = await asked.promise;
  expect(await ahead.take(3, 'told that')).toBeNull();
  expect(signal.aborted).toBe(true);
  expect(await ahead.take(3, 'told this')).toBeNull();
  // Also where it is not asked yet.
  ahead.start(4, 'a', 'told this', () => Promise.reject(new Error('asked all the same')));
  await ahead.stop();
});

test('of proposers in turns the one whose turn comes is asked ahead, if it can be', async () => {
  const whole = (n: number) =>
    proposal('', '', {
      edits: [{ path: 'train.sh', content: FAST_TRAINER.replace('LR=2', `LR=${8 + n}`) }],
      category: `kind ${n}`,
      differs: 'Yes.',
    });
  const night = await modelNight((_, index) => whole(index), {
    ...{ experiments: 3, route: 'alternate', isLookingAhead: true },
  });
  await night.run();
  const { ledger } = night.engine;
  const [second] = ledger.runs.list(night.studyId, 2);
  const calls = ledger.proposerCalls.latest(night.studyId, 'model claude-opus-5-5', 10);
  const ahead = calls.findLast(({ n }) => n === 3);
  expect(ahead?.at).toBeLessThanOrEqual(second?.endedAt ?? 0);
  // The search has its turn when it comes.
  expect(ledger.proposerCalls.author(night.studyId, 2)).toBe('search');
  await checkNight(night);
});
