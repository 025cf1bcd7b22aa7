import { expect, test } from 'vitest';
import { judgeFairness } from '../../../src/engine/stages/judge/fairness.ts';
import { BudgetWatch } from '../../../src/engine/stages/train/budget-watch.ts';
import { budgetOf, describeOverBudget, type OverBudget } from '../../../src/shared/contract/budget.ts';
import { DEFAULT_BUDGET } from '../../../src/shared/contract/contract-defaults.ts';
import type { Fairness } from '../../../src/shared/verdicts/fairness.ts';
import { slowness } from '../../support/clock.ts';
import { eventsOf } from '../../support/pawl.ts';
import { contractFile, temporaryFolder } from '../../support/scaffold.ts';
import { byExperiment, hostileStudy, query } from '../../support/trainers.ts';

const budget = { ...DEFAULT_BUDGET, seconds: 300, limitSeconds: 630 };
const run = (seconds: number, trainingSeconds: number | null = null) => ({ seconds, trainingSeconds });

test.each([
  ['nothing is known before the baseline', [], null],
  ['it trains for what the contract names', [run(392, 300.1)], 422],
  ['it says nothing, and takes about as long', [run(290)], 320],
  ['the middle one of three counts', [run(500, 300), run(390, 300), run(395, 300)], 425],
  ['it trains far less', [run(60, 50)], null],
  ['it trains far more', [run(900, 800)], null],
  ['it claims what it was given, and ended at once', [run(12, 300)], null],
])('what a run has where %s', (_, baseline, allowedSeconds) => {
  const found = budgetOf(budget, baseline);
  expect(found.kind === 'fixed' ? null : found.allowedSeconds).toBe(allowedSeconds);
});

test('a short budget has a second of slack, unless the contract wants none', () => {
  const short = { ...budget, seconds: 5 };
  expect(budgetOf(short, [run(6.5, 5)])).toMatchObject({ allowedSeconds: 7.5 });
  expect(budgetOf({ ...short, tolerance: 0 }, [run(6.5, 5)])).toMatchObject({ allowedSeconds: 6.5 });
});

function watched(startupSeconds = 60) {
  let now = 0;
  const over: OverBudget[] = [];
  const watch = new BudgetWatch({
    budget: { kind: 'time-boxed', baselineSeconds: 300, allowedSeconds: 330 },
    ...{ startupSeconds, elapsed: () => now, onOver: evidence => over.push(evidence) },
  });
  const at = (seconds: number) => {
    now = seconds;
    watch.look();
    return over.length;
  };
  return { watch, over, at, to: (seconds: number) => (now = seconds) };
}

test('a run is over its budget beyond what the baseline took and the tolerance: 326 s of 300 are not', () => {
  const { at, over } = watched();
  expect([at(326), at(330), at(331)]).toEqual([0, 0, 1]);
  expect(describeOverBudget(over[0] as OverBudget)).toBe(
    'ended after 5 min 31 s: the baseline takes 5 min in all, and a run may take 5 min 30 s',
  );
});

test('seconds before the first step in which the GPU was idle are added, up to a bound', () => {
  const { watch, at, to, over } = watched(60);
  for (let second = 1; second <= 40; second += 1) {
    to(second);
    watch.gpu(second <= 20 ? 0 : 90);
  }
  expect(at(349)).toBe(0);
  watch.step();
  // What is idle after the first step is the run's own doing.
  for (let second = 350; second <= 360; second += 1) {
    to(second);
    watch.gpu(0);
  }
  expect(at(361)).toBe(1);
  expect(over[0]?.startupSeconds).toBeCloseTo(19);
  const long = watched(5);
  for (const second of [0, 100, 200]) {
    long.to(second);
    long.watch.gpu(0);
  }
  expect([long.at(335), long.at(336)]).toEqual([0, 1]);
});

test('on a processor nothing is added for starting', () => {
  const { watch, at } = watched();
  watch.gpu(undefined);
  expect(at(331)).toBe(1);
});

test('a run that takes more time than the others have is ended, whatever it says of itself', async () => {
  const home = await temporaryFolder();
  const trains = (seconds: number, value: number, claimed: number) =>
    `time.sleep(${seconds})\nreport(${value})\nprint('training_seconds: ${claimed}')`;
  const study = await hostileStudy({
    ...{ home, experiments: 3, limitSeconds: 120 },
    files: {
      'pawl.toml': contractFile({ train: 'python3 train.sh', limitSeconds: 120 }).replace(
        'seconds = 5',
        'seconds = 2\ntolerance = 2.5',
      ),
    },
    script: byExperiment(
      trains(2, 0.9, 2),
      trains(2.3, 0.8, 2),
      // Silent, and then it would claim to have been as fast as the others.
      trains(100, 0.1, 2),
      `print('step 1 | loss: 1.0', flush=True)\n${trains(100, 0.1, 1)}`,
    ),
  });
  expect(study.verdicts).toEqual(['keep baseline', 'keep better', ...Array(2).fill('discard over_budget')]);
  expect(study.metrics).toEqual([0.9, 0.8, null, null]);
  const [, , verdict] = eventsOf(study.events, 'verdict');
  const told =
    /^ended after (\d+\.\d) s: the baseline takes (\d+\.\d) s in all, and a run may take (\d+\.\d) s$/;
  const [ended = 0, baseline = 0, allowed = 0] = (told.exec(verdict?.message ?? '') ?? [])
    .slice(1)
    .map(Number);
  expect(baseline).toBeGreaterThanOrEqual(2);
  expect(allowed - baseline).toBeCloseTo(5, 5);
  expect(ended).toBeGreaterThanOrEqual(allowed);
  expect(ended - allowed).toBeLessThan(3 * slowness());
  const [row] = query<{ outcome: string }>(home, 'SELECT outcome FROM run ORDER BY id DESC LIMIT 1');
  expect(JSON.parse(row?.outcome ?? '')).toEqual({ kind: 'over_budget' });
});

test('processors that others took are the machine’s fault, where none was left', () => {
  const flags = (
    processors: { own: number; all: number; cores: number } | null,
    seconds = 100,
    earlier: readonly Fairness[] = [],
  ) =>
    judgeFairness({
      ...{ gpu: [], wallSeconds: seconds, awakeSeconds: seconds, summary: null, stepsPerSecond: null },
      ...{ sameCode: [], foreign: [], isUsed: null, earlier, processors },
    }).flags;
  expect(flags({ own: 120, all: 196, cores: 2 })).toEqual([
    { kind: 'contended', detail: '38 % of them, and none was free', isUnfair: true },
  ]);
  // What three runs in a row had belongs to the machine, also where no GPU is sampled; running again would not mend it.
  const hadIt: Fairness = {
    flags: [{ kind: 'contended', detail: '', isUnfair: true }],
    ...{ smClockMhz: null, samples: 0, foreign: [] },
  };
  const full = { own: 120, all: 196, cores: 2 };
  const [two, three] = [2, 3].map(count => flags(full, 100, Array<Fairness>(count).fill(hadIt))[0]?.isUnfair);
  expect([two, three]).toEqual([true, false]);
  // Free processors, none of others', too short to tell, and not known.
  for (const [processors, seconds] of [
    [{ own: 100, all: 140, cores: 2 }, 100],
    [{ own: 199, all: 200, cores: 2 }, 100],
    [{ own: 1, all: 20, cores: 2 }, 10],
    [null, 100],
  ] as const)
    expect(flags(processors, seconds)).toEqual([]);
});
