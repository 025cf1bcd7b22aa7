import { expect, test } from 'vitest';
import { studyCard } from '../src/engine/api/study-card.ts';
import type { Verdict } from '../src/shared/study.ts';
import { keep, openWithStudy, record } from './support/ledger-with-study.ts';
import { ABORTED, plainStudy } from './support/plain-study.ts';

const study = plainStudy();

test('what a study claims and counts changes when a keep is taken back, although nothing ran since', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  record(ledger, 1, 'Read the answers', keep(0.5));
  const shown = () => {
    const { claims, tally } = studyCard(ledger, study, { wish: null, isStarting: false });
    return { claimed: claims?.best.mean, keeps: tally.keep, best: tally.best };
  };
  expect(shown()).toEqual({ claimed: 0.5, keeps: 2, best: 0.5 });
  const taken: Verdict = { word: 'discard', reason: 'rolled_back', evidence: { run: 0, metric: 0.5 } };
  ledger.write(() => ledger.experiments.decide('s1', 1, taken, 3, { wasKept: true }));
  expect(shown()).toEqual({ claimed: 1, keeps: 1, best: 1 });
  ledger.close();
});

test('what a study claims changes with each of its runs, also where lanes end them in another order', async () => {
  const { ledger } = await openWithStudy();
  record(ledger, 0, 'Baseline', keep(1));
  record(ledger, 1, 'Read the answers', keep(0.5));
  const begin = (k: number) =>
    ledger.write(() =>
      ledger.runs.begin('s1', 1, { k, commit: 'c1', purpose: 'audit', isContained: false }, 3),
    );
  const end = (run: number, value: number) =>
    ledger.write(() => {
      ledger.runs.finish(run, { ...ABORTED, outcome: { kind: 'exit', code: 0 } }, 4);
      ledger.runs.setValue(run, value);
    });
  const best = () => studyCard(ledger, study, { wish: null, isStarting: false }).claims?.best;
  const [first, second] = [begin(1), begin(2)];
  end(second, 0.6);
  expect(best()).toEqual({ mean: 0.55, runs: 2 });
  end(first, 0.7);
  expect(best()).toEqual({ mean: expect.closeTo(0.6, 9), runs: 3 });
  ledger.close();
});
