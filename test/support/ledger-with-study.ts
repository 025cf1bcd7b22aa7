import { join } from 'node:path';
import { type Ledger, openLedger } from '../../src/engine/store/ledger.ts';
import type { Verdict } from '../../src/shared/study.ts';
import { plainStudy } from './plain-study.ts';
import { temporaryFolder } from './scaffold.ts';

export async function openWithStudy(): Promise<{ ledger: Ledger; path: string }> {
  const path = join(await temporaryFolder(), 'home', 'pawl.sqlite');
  const ledger = openLedger(path);
  ledger.write(() => ledger.studies.insert(plainStudy()));
  return { ledger, path };
}

export function record(ledger: Ledger, n: number, hypothesis: string, verdict: Verdict): void {
  ledger.write(() => {
    ledger.experiments.begin('s1', n, { commit: 'p' }, 1);
    ledger.experiments.propose('s1', n, {
      hypothesis,
      rationale: 'warmup matters',
      predictedEffect: null,
      category: null,
      memo: { a: [1] },
    });
    ledger.experiments.attempt('s1', n, { commit: `c${n}`, editDigest: `d${n}`, sourceLines: 10 });
    ledger.experiments.decide('s1', n, verdict, 2);
    if (verdict.word === 'keep') ledger.experiments.setPhase('s1', n, 'recorded');
  });
}

export const keep = (metric: number): Verdict => ({
  word: 'keep',
  reason: 'better',
  evidence: { run: 0, metric },
});
export const discard = (metric: number): Verdict => ({
  word: 'discard',
  reason: 'worse',
  evidence: { run: 0, metric },
});
export const crash: Verdict = { word: 'crash', reason: 'exception', evidence: { run: 0 } };
