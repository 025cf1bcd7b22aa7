import { expect, test } from 'vitest';
import type { PerformedEffect } from '../src/engine/session/loop/lanes.ts';
import { afterFullDisk } from '../src/engine/session/stopped-effects.ts';
import type { StageContext } from '../src/engine/stages/stage-context.ts';
import { PawlError } from '../src/shared/errors.ts';
import { openWithStudy } from './support/ledger-with-study.ts';
import { plainStudy } from './support/plain-study.ts';

const FULL = Object.assign(new Error('write'), { code: 'ENOSPC' });
const PROPOSAL = {
  hypothesis: 'Raise LR',
  rationale: null,
  predictedEffect: null,
  category: null,
  memo: null,
};
const train = { type: 'train', n: 2, commit: 'c2' } as PerformedEffect;
const attempt = { type: 'attempt', n: 2, edit: { proposal: PROPOSAL, repairOf: null } } as PerformedEffect;

/** A lane with experiment 2, beside one that trains experiment 1 on a disk that has room again. */
async function lane(ports: Partial<StageContext> = {}) {
  const { ledger } = await openWithStudy();
  ledger.write(() => {
    ledger.experiments.begin('s1', 2, { commit: 'p' }, 1);
    ledger.experiments.propose('s1', 2, PROPOSAL);
  });
  const context = {
    ...{ ledger, study: plainStudy(), paths: { home: '/home' }, now: () => 1, emit: () => {} },
    ...{ running: new Map([[1, () => {}]]), reserve: { hasRoom: () => true } },
    signal: new AbortController().signal,
    ...ports,
  } as unknown as StageContext;
  const before = new Set<number>();
  const go = (effect: PerformedEffect, error: unknown = FULL) =>
    afterFullDisk(error, effect, context, before);
  return { ledger, go };
}

test('a run that met a full disk is put off once, a repeat is asked for again', async () => {
  const { go } = await lane();
  expect(await go(train)).toMatchObject({ type: 'put_off', attempt: { n: 2, commit: 'c2' } });
  expect(await go(train)).toBeNull();
  const repeat = { type: 'repeat', n: 1 } as PerformedEffect;
  expect(await (await lane({ running: new Map([[2, () => {}]]) })).go(repeat)).toMatchObject({
    ...{ type: 'put_off', attempt: null },
  });
});

test('a proposal that is not committed is asked for anew, and one that is gets trained', async () => {
  const lost = await lane();
  expect(await lost.go(attempt)).toMatchObject({ type: 'refused' });
  expect(lost.ledger.refusals.list('s1')).toMatchObject([{ hypothesis: 'Raise LR' }]);
  const made = await lane();
  made.ledger.write(() =>
    made.ledger.experiments.attempt('s1', 2, { commit: 'c2', editDigest: 'd', sourceLines: 1 }),
  );
  expect(await made.go(attempt)).toMatchObject({ type: 'put_off', attempt: { n: 2, commit: 'c2' } });
  expect(made.ledger.refusals.list('s1')).toEqual([]);
});

test('a repair that was not committed leaves the crash as it is', async () => {
  const run = { n: 2, k: 0 };
  const propose = { type: 'propose', n: 2, repair: { run } } as PerformedEffect;
  expect(await (await lane()).go(propose)).toEqual({ type: 'repair_failed', run });
});

test('what nobody beside it can have caused, or what cannot be done again, ends the sitting', async () => {
  expect(await (await lane({ running: new Map([[2, () => {}]]) })).go(train)).toBeNull();
  expect(await (await lane()).go(train, new PawlError('git_failed', 'bad object'))).toBeNull();
  expect(await (await lane()).go({ type: 'record', n: 2 } as PerformedEffect)).toBeNull();
  const full = { reserve: { hasRoom: () => false }, signal: AbortSignal.abort() };
  expect(await (await lane(full as unknown as Partial<StageContext>)).go(train)).toBeNull();
});
