import { expect, test } from 'vitest';
import { readDebrief } from '../src/engine/debrief/read-debrief.ts';
import { describeCounts, timeRows } from '../src/shared/debrief/describe-debrief.ts';
import { COMBINATION } from '../src/shared/proposers/ideas.ts';
import type { FlagKind } from '../src/shared/verdicts/fairness.ts';
import { keptNight, set } from './support/kept-night.ts';
import { ABORTED } from './support/plain-study.ts';

test('the last sitting of a study that has none is the whole study', async () => {
  const { ledger, study } = await keptNight([{ edit: set('LR', 2), metric: 0.9 }]);
  const debrief = await readDebrief(ledger, study, -1, Date.now());
  expect(debrief).toMatchObject({ sitting: null, sittings: [], counts: { tried: 1, keep: 1 } });
  await expect(readDebrief(ledger, study, 0, Date.now())).rejects.toThrow(/ has 0 sittings\.$/);
  const empty = await keptNight([]);
  expect(describeCounts(await readDebrief(empty.ledger, empty.study, -1, Date.now()))).toBe(
    'Nothing was tried yet.',
  );
});

test('who proposed nothing that was tried, and did not fail either, is not compared', async () => {
  const { ledger, study } = await keptNight([{ edit: set('LR', 2), metric: 0.9 }]);
  const call = { n: 2, at: Date.now(), message: null, seconds: 1 } as const;
  ledger.write(() => {
    ledger.proposerCalls.add(study.id, { ...call, proposer: COMBINATION, outcome: 'proposed' });
    ledger.proposerCalls.add(study.id, { ...call, proposer: 'a model', outcome: 'failed', message: 'No.' });
  });
  const { arms } = await readDebrief(ledger, study, null, Date.now());
  expect(arms.map(({ proposer }) => proposer)).toEqual(['a model']);
});

test('what the best already contains is not suggested again, whatever line it changed', async () => {
  const printed = "sed -i 's/^print(LR)/print(LR, DEPTH)/' train.py";
  const { ledger, study } = await keptNight([
    { edit: printed, metric: 1.0001, verdict: 'discard' },
    { edit: `${printed}; ${set('WIDTH', 2)}`, metric: 0.9 },
    { edit: 'echo "print(BETA)" >> train.py', metric: 0.90001, verdict: 'discard' },
  ]);
  const { nearMisses, next } = await readDebrief(ledger, study, null, Date.now());
  expect(nearMisses.map(({ n }) => n)).toEqual([3]);
  expect(next.map(({ title }) => title).filter(title => title.startsWith('Try'))).toEqual([
    'Try #3 again on the best: Idea 3',
  ]);
});

test('where the same code gives the same number every time, no difference is noise', async () => {
  const { ledger, study, commits } = await keptNight([
    { edit: set('LR', 2), metric: 0.900012 },
    { edit: set('WIDTH', 2), metric: 0.900013, verdict: 'discard' },
  ]);
  const misses = async () =>
    (await readDebrief(ledger, study, null, Date.now())).nearMisses.map(({ n }) => n);
  expect(await misses()).toEqual([2]);
  ledger.write(() => {
    for (const [n, value] of [1, 0.900012].entries())
      for (const k of [1, 2]) {
        const begun = { k, commit: commits[n] ?? '', purpose: 'audit', isContained: true } as const;
        const run = ledger.runs.begin(study.id, n, begun, 1);
        ledger.runs.finish(run, { ...ABORTED, outcome: { kind: 'exit', code: 0 } }, 2);
        ledger.runs.setValue(run, value);
      }
  });
  expect(await misses()).toEqual([]);
});

test('a rationale that several keeps have is left out', async () => {
  const stock = 'It has the largest expected improvement.';
  const { ledger, study } = await keptNight([
    { edit: set('LR', 2), metric: 0.9, rationale: stock },
    { edit: set('LR', 3), metric: 0.8, rationale: 'The loss still falls.' },
    { edit: set('LR', 4), metric: 0.7, rationale: stock },
    { edit: set('LR', 5), metric: 0.6 },
  ]);
  const { kept } = await readDebrief(ledger, study, null, Date.now());
  expect(kept.map(({ rationale }) => rationale)).toEqual([null, 'The loss still falls.', null, null]);
});

test('time that was lost to unfair runs is told with what disturbed most of them', async () => {
  const { ledger, study } = await keptNight([{ edit: set('LR', 2), metric: 0.9 }]);
  const runs: readonly (readonly [number, readonly FlagKind[]])[] = [
    [100, []],
    [60, ['contended']],
    [30, ['contended', 'throttled']],
    [50, ['throttled']],
    // What is only noted costs nothing.
    [200, ['cold']],
  ];
  ledger.write(() => {
    for (const [k, [seconds, kinds]] of runs.entries()) {
      const begun = { k, commit: 'c', purpose: null, isContained: true };
      const flags = kinds.map(kind => ({ kind, detail: '', isUnfair: kind !== 'cold' }));
      const result = { ...ABORTED, fairness: { ...ABORTED.fairness, flags } };
      ledger.runs.finish(ledger.runs.begin(study.id, 1, begun, 0), result, seconds * 1000);
    }
  });
  const debrief = await readDebrief(ledger, study, null, Date.now());
  expect(timeRows(debrief)).toContainEqual([
    'trained again, because a run was not fair (mostly: other programs used the processors)',
    '2 min 20 s',
  ]);
});
