import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRepository } from '../src/engine/git/repository.ts';
import { OWN_PRICES } from '../src/engine/proposers/model/prices.ts';
import { readSpendPlan } from '../src/engine/proposers/model/read-spend-plan.ts';
import { modelNight, proposal, use } from './support/model-night.ts';
import { pawl } from './support/pawl.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  fastRepository,
  temporaryFolder,
} from './support/scaffold.ts';
import { openDesk, refusalOf } from './support/service.ts';

const QUESTION = { editable: ['train.sh'], instructions: null, budgetSeconds: 300 };

const USAGE = { input: 1_000, cacheRead: 4_000, cacheWrite: 2_000, output: 500 };

/** Six experiments of a model that was asked for five of them; the search made one more of its ranges. */
function sixExperiments() {
  const tuning = {
    ...{ hypothesis: 'The depth is off', rationale: 'It is.', experiments: 2 },
    constants: [{ file: 'train.sh', name: 'DEPTH', low: 2, high: 12 }],
  };
  return modelNight(
    (_, index) =>
      index < 4
        ? proposal('WIDTH=16', `WIDTH=${20 + index}`, { differs: 'It is another width.' })
        : { kind: 'message', usage: USAGE, blocks: [use('tune_constants', tuning)] },
    { experiments: 6 },
  );
}

test('what is planned is what earlier experiments cost here, else elsewhere, else an estimate', async () => {
  const night = await sixExperiments();
  await night.run();
  const plan = async (path: string, model = 'claude-opus-5-5') =>
    readSpendPlan(night.engine.ledger, night.home, await openRepository(path), { ...QUESTION, model });
  const here = await plan(night.repository);
  expect(here).toMatchObject({ kind: 'planned', basis: { kind: 'here', experiments: 6 } });
  // Five calls at 2.48 cents for six experiments.
  expect(here).toMatchObject({ eachUsd: { median: expect.closeTo((0.0248 * 5) / 6) } });
  const other = await fastRepository();
  expect(await plan(other)).toMatchObject({ basis: { kind: 'elsewhere', experiments: 6 } });
  expect(await plan(night.repository, 'claude-haiku-5-5')).toMatchObject({ basis: { kind: 'estimated' } });
  expect(await plan(night.repository, 'llama')).toEqual({ kind: 'unpriced' });
});

test('an estimate grows with the files, the instructions and a cold cache', async () => {
  const desk = await openDesk();
  const path = await createRepository({
    'train.sh': FAST_TRAINER,
    'model.py': 'x = 1\n'.repeat(5_000),
    'program.md': 'Do it well.\n'.repeat(1_000),
    'pawl.toml': contractFile(),
  });
  const low = async (changes: Partial<Parameters<typeof desk.calls.projects.spendPlan>[0]> = {}) => {
    const found = await desk.calls.projects.spendPlan({
      ...{ ...QUESTION, path, model: 'claude-opus-5-5', ...changes },
    });
    return found.kind === 'planned' ? found.eachUsd.low : 0;
  };
  const alone = await low();
  expect(await low({ editable: ['train.sh', '*.py'] })).toBeGreaterThan(alone + (30_000 / 4) * 5e-6);
  expect(await low({ instructions: 'program.md' })).toBeGreaterThan(alone + (12_000 / 4) * 5e-6);
  expect(await low({ budgetSeconds: 60 })).toBeLessThan(alone);
  expect(await low({ instructions: 'gone.md', editable: ['../x'] })).toBeLessThanOrEqual(alone);
  expect((await refusalOf(low({ path: '/nowhere' }))).code).toBe('not_a_repository');
  await writeFile(join(desk.home, OWN_PRICES), '{}');
  expect((await refusalOf(low())).code).toBe('proposer_invalid');
});

test.each([
  [
    ['-n', '40'],
    /^Planned spend: about \$[\d.]+–[\d.]+ for 40 experiments at claude-opus-5-5 \(estimated: .*\)\.$/m,
  ],
  [['-n', '40', '--alternate'], / for 20 experiments at /],
  [[], / an experiment at claude-opus-5-5 /],
])('run says what %j will cost before it begins', async (flags, words) => {
  const args = ['run', await fastRepository(), '--model', 'claude-opus-5-5', ...flags];
  // Without a key nothing is asked, and the study does not begin.
  const found = await pawl(args, { home: await temporaryFolder(), env: { ANTHROPIC_API_KEY: undefined } });
  expect(found.stdout).toMatch(words);
});

test('resume says what is left to spend before it begins, as run does', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  await pawl(['run', repository, '-n', '1', '--seed', '1'], { home });
  const resume = (...flags: readonly string[]) =>
    pawl(['resume', repository, ...flags], { home, env: { ANTHROPIC_API_KEY: undefined } });
  const words = /^Planned spend: about \$[\d.]+–[\d.]+ for 40 experiments at claude-opus-5-5 \(.*\)\.$/m;
  expect((await resume('-n', '41', '--model', 'claude-opus-5-5')).stdout).toMatch(words);
  // The study's own proposer now, and its own number of experiments.
  const json = await resume('--json');
  expect([json.stdout, json.stderr]).toEqual([
    expect.not.stringMatching(words),
    expect.stringMatching(words),
  ]);
  expect((await resume('-n', '1')).stdout).not.toContain('Planned spend');
});
