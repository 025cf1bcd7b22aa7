import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRepository } from '../src/engine/git/repository.ts';
import {
  afterProbe,
  type Chain,
  findCandidateProbe,
  findChainProbe,
  findNumberHints,
  findTakeBack,
  judgeCandidate,
  NO_PROBES,
} from '../src/engine/session/loop/probes.ts';
import { findEditHints } from '../src/engine/stages/judge/edit-hints.ts';
import type { Trial } from '../src/engine/statistics/claims.ts';
import { confirmsGain, findSwapFault, judgeProbe, type Probed } from '../src/engine/statistics/probe.ts';
import { DEFAULT_AUDIT, DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import { describeProbe } from '../src/shared/verdicts/probes.ts';
import { createRepository, git, writeFiles } from './support/scaffold.ts';

const FROM = { values: [1.00013], probe: 1.20024 } as const;
/** s = .001, known from many runs. */
const NOISE = { variance: 1e-6, degrees: 1_000, isRepeatable: false };
const judge = (own: Probed, from: Probed = FROM, baseline = from) => judgeProbe(own, from, baseline, NOISE);

describe('what another number of other data says', () => {
  test.each([
    ['the same number', { values: [0.9], probe: 0.9 }, 'not_from_data'],
    ['the same number, which is no gain', { values: [1.1], probe: 1.1 }, 'not_from_data'],
    ['one of several runs again', { values: [0.9, 0.91], probe: 0.91 }, 'not_from_data'],
    ['the whole gain', { values: [0.9], probe: 1.1 }, null],
    ['half of the gain', { values: [0.9], probe: 1.15 }, null],
    ['a fifth of the gain', { values: [0.9], probe: 1.18 }, 'memorised'],
    ['a loss', { values: [0.9], probe: 1.3 }, 'memorised'],
    ['no number, by its own fault', { values: [0.9], probe: 'failed' }, 'memorised'],
    ['no number, by nobody knows whose', { values: [0.9], probe: 'unknown' }, null],
    // The gain is .0035, of which .0042 are expected there, and 1.96 × 2.2 s are more.
    ['nothing of a gain within the noise', { values: [0.9966], probe: 1.20024 }, null],
    ['no gain on either', { values: [1.1], probe: 1.25 }, null],
    ['no number, and no gain', { values: [1.1], probe: 'failed' }, null],
  ] as const)('%s', (_, own, reason) => {
    expect(judge(own)?.reason ?? null).toBe(reason);
  });

  test('with little known of the noise the interval is as wide as that leaves it', () => {
    // The gain is .007: beyond 1.96 × 2 s, and within 4.3 × 2 s.
    const own = { values: [0.99313], probe: 1.20024 };
    expect(judge(own)?.reason).toBe('memorised');
    expect(judgeProbe(own, FROM, FROM, { ...NOISE, degrees: 1 })).toBeNull();
  });

  test('a gain is expected to be as much smaller as the numbers are with other data', () => {
    const from = { values: [1.00013], probe: 0.60024 };
    expect(judge({ values: [0.9], probe: 0.57 }, from)).toBeNull();
    expect(judge({ values: [0.9], probe: 0.59 }, from)?.reason).toBe('memorised');
  });

  test('of several runs the first, which made it the best, does not count', () => {
    const from = { values: [1.00013, 1.00013, 1.00013], probe: 1.20024 };
    expect(judge({ values: [0.99, 0.9999, 0.9999], probe: 1.20024 }, from)).toBeNull();
    expect(judge({ values: [0.99, 0.99, 0.99], probe: 1.20024 }, from)?.reason).toBe('memorised');
  });

  test('the best there can be is the same on any data', () => {
    expect(judgeProbe({ values: [0], probe: 0 }, FROM, FROM, NOISE, 0)).toBeNull();
    expect(judgeProbe({ values: [0], probe: 0 }, FROM, FROM, NOISE)?.reason).toBe('not_from_data');
  });

  test('where other data hardly moves the baseline, the same number is no wonder', () => {
    const baseline = { values: [0.913], probe: 0.915 };
    expect(judge({ values: [0.85], probe: 0.85 }, baseline, baseline)?.reason).not.toBe('not_from_data');
  });

  test.each([
    ['the same', { values: [1, 1.1], probe: 1.1 }, 'no_difference'],
    ['none', { values: [1], probe: 'failed' }, 'no_number'],
    ['much less', { values: [1], probe: 0.4 }, 'other_kind'],
    ['much more', { values: [-1], probe: -2.1 }, 'other_kind'],
    ['another', { values: [1], probe: 1.9 }, null],
  ] as const)(
    'of a baseline whose other number is %s nothing can be said, or something',
    (_, baseline, fault) => {
      expect(findSwapFault(baseline)).toBe(fault);
      if (fault) expect(judgeProbe({ values: [0.5], probe: 0.5 }, baseline, baseline, NOISE)).toBeNull();
    },
  );
});

/** A chain of keeps from #0 on, each .002 better, of which those in `probes` were probed. */
function chainOf(
  length: number,
  results: Chain['probes']['results'],
  goal: Chain['goal'] = 'minimize',
): Chain {
  const sign = goal === 'minimize' ? 1 : -1;
  const trials = Array.from(
    { length },
    (_, n): Trial => ({
      ...{ n, parent: n === 0 ? null : n - 1, isKept: true },
      values: [round(sign * (1.00013 - 0.002 * n))],
    }),
  );
  return { goal, trials, probes: { ...NO_PROBES, isPossible: true, results } };
}

/** What a probe of commit `n` gives where from `bad` on the number is made up. */
function probeOf(n: number, bad: number, goal: Chain['goal']): number {
  const sign = goal === 'minimize' ? 1 : -1;
  return n < bad ? round(sign * (1.20024 - 0.002 * n)) : round(sign * (1.00013 - 0.002 * n));
}

function round(value: number): number {
  return Number(value.toFixed(5));
}

test('of a chain of keeps the first that is made up is found by halving, and it goes with all that follow', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 60 }),
      fc.nat(),
      fc.constantFrom('minimize', 'maximize'),
      (length, pick, goal) => {
        // `length` is one past the end: none is made up.
        const bad = 1 + (pick % length);
        let chain = chainOf(length, new Map(), goal);
        let probes = 0;
        for (;;) {
          expect(findTakeBack(chain) === null || findChainProbe(chain, true) === null).toBe(true);
          const next = findChainProbe(chain, true);
          if (next === null) break;
          probes += 1;
          const probesAfter = afterProbe(chain.probes, next, {
            ...{ value: probeOf(next, bad, goal), isOwnFailure: false },
          });
          chain = { ...chain, probes: probesAfter };
        }
        expect(probes).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(length)));
        const back = findTakeBack(chain);
        if (bad === length) {
          expect(back).toBeNull();
          return;
        }
        expect(back).toMatchObject({ n: bad, reason: 'not_from_data', parent: bad - 1 });
        expect(back?.chain).toEqual(Array.from({ length: length - bad }, (_, place) => bad + place));
        // In the metric's own direction.
        expect(back?.evidence.value).toBe(probeOf(bad, bad, goal));
      },
    ),
    { numRuns: 60 },
  );
});

test('before a candidate come the baseline and the best, each once', () => {
  const candidate = { n: 3, value: 0.5 };
  const asked: (number | null)[] = [];
  const values = new Map<number, number>();
  for (let step = 0; step < 4; step += 1) {
    const next = findCandidateProbe(chainOf(3, values), candidate);
    asked.push(next);
    if (next !== null) values.set(next, next === 3 ? 0.5 : probeOf(next, 9, 'minimize'));
  }
  expect(asked).toEqual([0, 2, 3, null]);
  expect(judgeCandidate(chainOf(3, values), candidate)).toMatchObject({
    ...{ reason: 'not_from_data', evidence: { against: 2, value: 0.5 } },
  });
  // Where other data makes no difference to the baseline, nothing else is asked.
  expect(findCandidateProbe(chainOf(3, new Map([[0, 1.00013]])), candidate)).toBeNull();
  expect(findChainProbe(chainOf(3, new Map([[0, 1.00013]])), true)).toBeNull();
});

test('a jump is beyond eight times the noise and three times what was audited, and a bound is a bound', () => {
  const hints = (value: number, probes = new Map<number, number>(), bound: number | null = null) => {
    const chain = chainOf(2, probes);
    return findNumberHints({ ...chain, probes: { ...chain.probes, bound } }, { n: 2, value });
  };
  // The noise is the prior's, .0007 of the baseline: eight times are .0056.
  expect(hints(0.9926)).toEqual([]);
  expect(hints(0.9924)).toEqual(['jump']);
  expect(hints(0.992, new Map([[1, 1.198]]))).toEqual(['jump']);
  const large = chainOf(2, new Map([[1, 1.198]]));
  const passed = { ...large.probes, passed: new Set([1]) };
  const audited = large.trials.map(trial => (trial.n === 0 ? { ...trial, values: [1.05] } : trial));
  expect(findNumberHints({ ...large, probes: passed, trials: audited }, { n: 2, value: 0.9 })).toEqual([]);
  expect(hints(-0.1, new Map(), 0)).toEqual(['jump', 'bound']);
  expect(hints(0, new Map(), 0)).toEqual(['jump']);
});

test('a hint comes from a changed line, not from one beside it', async () => {
  const path = await createRepository({
    'train.py': `import time\nSEED = 1\nlr = 0.1\nval_loss = evaluate(model)\nt0 = time.time()\n`,
  });
  const repository = await openRepository(path);
  const audit = { ...DEFAULT_AUDIT, swaps: [{ path: 'data/held.bin', other: 'data/b.bin' }] };
  const metric = { ...DEFAULT_METRIC, name: 'val_loss', goal: 'minimize' } as const;
  const hintsOf = async (text: string) => {
    await writeFiles(path, { 'train.py': text });
    await git(path, 'commit', '--quiet', '--all', '--message=edit');
    const hints = await findEditHints(repository, 'HEAD~1', 'HEAD', { audit, metric });
    await git(path, 'reset', '--quiet', '--hard', 'HEAD~1');
    return hints;
  };
  const before = `import time\nSEED = 1\nlr = 0.1\nval_loss = evaluate(model)\nt0 = time.time()\n`;
  expect(await hintsOf(before.replace('0.1', '0.2'))).toEqual([]);
  expect(await hintsOf(before.replace('SEED = 1', 'SEED = 7'))).toEqual(['seed']);
  expect(await hintsOf(before.replace('evaluate(model)', '0.0'))).toEqual(['evaluation']);
  expect(await hintsOf(before.replace('time.time()', '0'))).toEqual(['timer']);
  expect(await hintsOf(`${before}open('data/held.bin')\n`)).toEqual(['validation']);
  expect(await hintsOf(`${before}model.fit(val_data)\n`)).toEqual(['validation']);
});

test('who fails by its own code has another try, and of what the machine stops nobody knows', () => {
  const fails = { value: null, isOwnFailure: true };
  const once = afterProbe(NO_PROBES, 3, fails);
  expect(once.results.has(3)).toBe(false);
  expect(afterProbe(once, 3, fails).results.get(3)).toBe('failed');
  expect(afterProbe(once, 3, { value: 0.5, isOwnFailure: false }).results.get(3)).toBe(0.5);
  expect(afterProbe(NO_PROBES, 3, { value: null, isOwnFailure: false }).results.get(3)).toBe('unknown');
});

test('a commit of which nobody can tell is not blamed for the next one', () => {
  // #2 was stopped by the machine, #3 is made up.
  const results = new Map<number, number | 'unknown'>([
    ...[0, 1].map(n => [n, probeOf(n, 3, 'minimize')] as const),
    [2, 'unknown'],
    ...[3, 4].map(n => [n, probeOf(n, 3, 'minimize')] as const),
  ]);
  const chain = chainOf(5, results);
  expect(findChainProbe(chain, true)).toBeNull();
  expect(findTakeBack(chain)).toMatchObject({ n: 3, parent: 1, chain: [2, 3, 4] });
});

test('what has passed stays, whatever later runs say of the noise', () => {
  const chain = chainOf(
    2,
    new Map([
      [0, 1.20024],
      [1, 0.99813],
    ]),
  );
  expect(findTakeBack(chain)).toMatchObject({ n: 1 });
  const passed = { ...chain.probes, passed: new Set([1]) };
  expect(findTakeBack({ ...chain, probes: passed })).toBeNull();
});

test('the words say what was seen', () => {
  const evidence = { value: null, gain: 0.1, gainThere: null, against: 4 };
  expect(describeProbe('memorised', evidence)).toBe(
    'With other validation data it twice gave no number, but #4 gave one.',
  );
});

test('a gain is confirmed by what is left of it, beyond what two runs differ by', () => {
  const confirms = (probe: number) => confirmsGain({ values: [0.9], probe }, FROM, FROM, NOISE);
  expect(confirms(1.1)).toBe(true);
  // A quarter of .12 is left.
  expect(confirms(1.169)).toBe(true);
  expect(confirms(1.175)).toBe(false);
  // All of a gain of .002 is there, and two runs differ by .0028.
  expect(confirmsGain({ values: [0.99813], probe: 1.19824 }, FROM, FROM, NOISE)).toBe(false);
});
