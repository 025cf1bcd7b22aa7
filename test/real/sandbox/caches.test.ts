import { expect } from 'vitest';
import { contained } from '../../support/contained.ts';
import { temporaryFolder } from '../../support/scaffold.ts';
import { hostileStudy, query } from '../../support/trainers.ts';

/** A trainer that compiles unless it finds something compiled, says what it found, and leaves its mark there. */
const COMPILES = `
cache = os.path.join(os.environ['XDG_CACHE_HOME'], 'compiler')
os.makedirs(cache, exist_ok=True)
found = sorted(os.listdir(cache))
print('found', ' '.join(found) or 'nothing')
open(os.path.join(cache, '%d.%d' % (n, k)), 'w').write('x' * 2000)
report(0.9 - n / 100)
print('num_steps: %d' % (STEPS))
`;

async function study(steps: string, more = '') {
  const home = await temporaryFolder();
  const ended = await hostileStudy({
    ...{
      home,
      env: { PAWL_SANDBOX: 'required' },
      experiments: 2,
      script: COMPILES.replace('STEPS', steps),
      more,
    },
  });
  const runs = query<{ n: number; k: number; fairness: string }>(
    home,
    'SELECT e.n, r.k, r.fairness FROM run r JOIN experiment e ON e.id = r.experiment_id ORDER BY r.id',
  );
  const found = await Promise.all(
    runs.map(async ({ n, k, fairness }) => {
      const flags = (JSON.parse(fairness).flags as { kind: string }[]).map(({ kind }) => kind);
      const said = /^found (.*)$/m.exec((await ended.log(n, k)).toString())?.[1];
      return [`${n}.${k}`, said, ...flags].join(' ');
    }),
  );
  return { verdicts: ended.verdicts, found };
}

contained('what the baseline compiled is what each run finds, and nothing of another run', async () => {
  const { verdicts, found } = await study('100');
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
  expect(found).toEqual(['0.0 nothing cold', '0.1 0.0', '1.0 0.0', '2.0 0.0']);
});

contained('where compiling takes from the budget every run starts with empty caches', async () => {
  const { verdicts, found } = await study('100 if not found else 110');
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
  expect(found).toEqual(['0.0 nothing cold', '0.1 0.0 cold', '0.2 nothing', '1.0 nothing', '2.0 nothing']);
});

contained('more than sandbox.cache_mb is not handed on', async () => {
  const { found } = await study('100', '[sandbox]\ncache_mb = 0.001\n');
  expect(found).toEqual(['0.0 nothing', '1.0 nothing', '2.0 nothing']);
});
