import { autoresearchContract } from '../src/engine/contract/autoresearch.ts';
import type { SeriesPoint } from '../src/engine/metrics/output-reader.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import type { Study, Verdict } from '../src/shared/study.ts';
import { plainStudy } from '../test/support/plain-study.ts';

export const EXPERIMENTS = 10_000;
export const POINTS = 1_000;
const CHUNK = 512;
const DAY_MS = 86_400_000;
export const WORDS =
  'attention width depth learning rate warmup cosine batch gradient clip rotary window optimizer momentum head value residual'.split(
    ' ',
  );

/** The place of the big ledger's study; a bench that continues the study brings a real repository. */
export type BigStudyPlace = Pick<Study, 'repositoryPath' | 'gitDir' | 'baseCommit' | 'contract' | 'proposer'>;

const NOWHERE: BigStudyPlace = {
  repositoryPath: '/nowhere',
  gitDir: '/nowhere/.git',
  baseCommit: '0'.repeat(40),
  contract: autoresearchContract('', false),
  proposer: { kind: 'search', seed: 1 },
};

/**
 * Writes a ledger of one study with the given number of experiments of `POINTS` points each; by default a year of
 * nights.
 */
export function fillBigLedger(path: string, place: BigStudyPlace = NOWHERE, count = EXPERIMENTS): Study {
  const ledger = openLedger(path);
  const study = plainStudy({
    ...{ id: 'bench', tag: 'bench', worktreeName: 'bench', ...place, stop: {} },
    ...{ state: 'stopped', stopReason: 'experiments', createdAt: Date.now() - 40 * DAY_MS },
  });
  ledger.write(() => ledger.studies.insert(study));
  const { experiments, runs } = ledger;
  let best = 1;
  for (let from = 0; from < count; from += 100) {
    ledger.write(() => {
      for (let n = from; n < Math.min(count, from + 100); n += 1) {
        const value = n % 50 === 0 ? best - 1e-4 : best + 1e-3;
        const verdict: Verdict =
          n % 50 === 0
            ? {
                word: 'keep',
                reason: n === 0 ? 'baseline' : 'better',
                evidence: { run: 0, metric: value, memory: 45060.2 },
              }
            : {
                word: 'discard',
                reason: 'worse',
                evidence: { run: 0, metric: value, memory: 45060.2, incumbentMetric: best },
              };
        best = Math.min(best, value);
        const word = (offset: number) => WORDS[(n * 13 + offset * 7) % WORDS.length] ?? '';
        const at = study.createdAt + n * 330_000;
        experiments.begin(study.id, n, { commit: place.baseCommit }, at);
        experiments.propose(study.id, n, {
          hypothesis: `Raise ${word(0)} ${word(1)} from ${n} to ${n + 1}`,
          rationale: `The ${word(2)} of the ${word(3)} limits the ${word(4)}, so the ${word(5)} should follow the ${word(6)}.`,
          predictedEffect: -0.001,
          category: word(7),
          memo: { moves: [{ name: word(0).toUpperCase(), from: String(n), to: String(n + 1) }] },
        });
        experiments.attempt(study.id, n, {
          // The branch never moves, so every keep has the base commit.
          commit: verdict.word === 'keep' ? place.baseCommit : n.toString(16).padStart(40, '0'),
          editDigest: n.toString(16).padStart(64, '0'),
          sourceLines: 600,
        });
        const run = runs.begin(
          study.id,
          n,
          { k: 0, commit: n.toString(16).padStart(40, '0'), purpose: null, isContained: false },
          at,
        );
        const points = curve(n);
        for (let start = 0; start < POINTS; start += CHUNK)
          runs.addPoints(run, points.slice(start, start + CHUNK));
        runs.finish(
          run,
          {
            outcome: { kind: 'exit', code: 0 },
            summary: {
              val_bpb: value,
              training_seconds: 300.1,
              total_seconds: 325.9,
              peak_vram_mb: 45060.2,
              mfu_percent: 39.8,
              num_steps: POINTS,
            },
            crash: null,
            fairness: { flags: [], smClockMhz: null, samples: 0, foreign: [] },
            gpuEnergyWh: 8.3,
            resources: { peakRssBytes: 3_000_000_000, cpuSeconds: 400 },
            outputBytes: 120_000,
            units: { dt: 'ms', mfu: '%' },
          },
          at + 326_000,
        );
        experiments.decide(study.id, n, verdict, at + 326_000);
        if (verdict.word === 'keep') experiments.setPhase(study.id, n, 'recorded');
      }
    });
  }
  ledger.close();
  return study;
}

/** Values as a training prints them: noisy, with few digits. */
function curve(seed: number): SeriesPoint[] {
  let state = seed + 1;
  const noise = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  return Array.from({ length: POINTS }, (_, step) => ({
    seconds: step * 0.315,
    values: new Map([
      ['step', step],
      ['progress', Number(((100 * step) / POINTS).toFixed(1))],
      ['loss', Number((3 + 7 * Math.exp(-step / 200) + 0.1 * noise()).toFixed(6))],
      ['dt', Math.round(310 + 10 * noise())],
      ['tok/sec', Math.round(1_600_000 + 60_000 * noise())],
      ['mfu', Number((39 + noise()).toFixed(1))],
    ]),
  }));
}
