import { expect, test } from 'vitest';
import { modelNight, use } from './support/model-night.ts';
import type { Reply } from './support/model-server.ts';

/** What a cap holds where a server answers with another model than was asked; the rest is in model-proposer.test.ts. */

/** Asked is claude-opus-5-5, whose answer of 16,000 tokens costs 32 cents; of this one it costs 80. */
const DEARER = 'claude-fable-5-1';
const USAGE = { input: 1_000, cacheRead: 4_000, cacheWrite: 2_000, output: 500 };

const hanging: Reply = {
  ...{ kind: 'hang', model: DEARER, usage: USAGE },
  after: [{ type: 'thinking', thinking: 'Well' }],
};

function looking(model: string): Reply {
  return { kind: 'message', model, usage: USAGE, blocks: [use('list_files', {})] };
}

test('an answer of a dearer model is ended where it could pass the cap', async () => {
  const night = await modelNight(() => hanging, { settings: { capUsd: { study: 0.6, sitting: null } } });
  expect(await night.run()).toBe('spend');
  expect(await night.server.waitForEnd(0)).toBe('broken');
  expect(night.server.requests).toHaveLength(1);
  const { modelCalls } = night.engine.ledger;
  expect(modelCalls.list(night.studyId, 1)).toMatchObject([
    {
      outcome: 'cancelled',
      message: expect.stringMatching(
        /^claude-fable-5-1 answered instead of claude-opus-5-5\. The cap of \$0\.6 for this study does not allow/,
      ),
    },
  ]);
  // Nobody knows what it took; what was reserved for it stays.
  expect(modelCalls.committedUsd(night.studyId, 0)).toBeGreaterThan(0.32);
  expect(modelCalls.committedUsd(night.studyId, 0)).toBeLessThanOrEqual(0.6);
});

test('what an answer of a dearer model can cost is reserved as soon as it begins', async () => {
  const night = await modelNight(() => hanging, { settings: { capUsd: { study: 2, sitting: null } } });
  const ended = night.run();
  const { modelCalls } = night.engine.ledger;
  await night.until('thought');
  expect(modelCalls.committedUsd(night.studyId, 0)).toBeGreaterThan(0.8);
  night.engine.request('stop_now');
  expect(await ended).toBe('user');
  expect(modelCalls.committedUsd(night.studyId, 0)).toBeGreaterThan(0.8);
});

test('once a dearer model has answered, every call is reserved at its price', async () => {
  const night = await modelNight((_, index) => looking(index === 0 ? DEARER : 'claude-opus-5-5'), {
    settings: { capUsd: { study: 0.9, sitting: null } },
  });
  expect(await night.run()).toBe('spend');
  // The first cost 6 cents and the second could cost 80; at the price of the one that was asked it goes on and on.
  const costs = night.engine.ledger.modelCalls.list(night.studyId, 1).map(({ costUsd }) => costUsd);
  expect(costs).toHaveLength(night.server.requests.length);
  expect(costs[0]).toBeCloseTo(0.061);
  expect(costs.length).toBeLessThanOrEqual(2);
});

test('a cheaper model that answers makes nothing dearer', async () => {
  const night = await modelNight(() => looking('claude-haiku-4-5'), {
    settings: { capUsd: { study: 0.38, sitting: null } },
  });
  expect(await night.run()).toBe('spend');
  // At 64 hundredths of a cent each, until the next could pass the cap.
  expect(night.server.requests.length).toBeGreaterThan(3);
});
