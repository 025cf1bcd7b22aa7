import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRepository } from '../src/engine/git/repository.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { Engine } from '../src/engine/session/engine.ts';
import { readLine } from '../src/engine/stack/read-keeps.ts';
import { trialsOf } from '../src/engine/stages/judge/trials.ts';
import { chooseOtherLine, findOtherLines } from '../src/engine/stages/propose/other-lines.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';
import type { OtherLines } from '../src/shared/study.ts';
import { describeLate } from '../src/shared/verdicts/late.ts';
import { git, temporaryFolder } from './support/scaffold.ts';
import { checkNight, prepareNight, TAG } from './support/study.ts';

function entry(
  n: number,
  metric: number | null,
  { incumbent = 0, ...more }: Partial<Omit<HistoryEntry, 'incumbent'>> & { incumbent?: number } = {},
): HistoryEntry {
  return {
    ...{ n, metric, record: metric, hypothesis: `${n}`, category: null, memo: null, guard: null },
    incumbentMetric: 1,
    ...{ verdict: metric === null ? 'crash' : 'discard', reason: metric === null ? 'exception' : 'worse' },
    ...(n === 0 ? { verdict: 'keep', reason: 'baseline', incumbent: null } : { incumbent }),
    ...more,
  } as HistoryEntry;
}

const linesOf = (history: readonly HistoryEntry[]) =>
  findOtherLines({ history, trials: trialsOf(history, []), goal: 'minimize' });
const keep = { verdict: 'keep', reason: 'better' } as const;

test('a line is what was measured and left, with what was built on it, and its best stands for it', () => {
  const history = [
    entry(0, 1),
    entry(1, 1.2),
    entry(2, 0.9, keep),
    entry(3, 1.1, { incumbent: 2, lateParent: 1 }),
    entry(4, null, { incumbent: 2, lateParent: 3 }),
    entry(5, 0.95, { incumbent: 2 }),
  ];
  expect(linesOf(history)).toEqual([
    { n: 5, metric: 0.95, children: 0 },
    { n: 3, metric: 1.1, children: 2 },
  ]);
});

test('what changed nothing, broke a condition or was taken back is no line, nor what was built on that', () => {
  const history = [
    entry(0, 1),
    entry(1, 1, { reason: 'equal' }),
    entry(2, 0.8, { reason: 'memory_limit' }),
    entry(3, 0.7, { reason: 'guard', guard: {} as HistoryEntry['guard'] }),
    entry(4, 0.95, { reason: 'rolled_back' }),
    entry(5, 0.97, { incumbent: 4 }),
    entry(6, 0.5, { reason: 'memorised' }),
    entry(7, 0.6, { incumbent: 6 }),
  ];
  expect(linesOf(history)).toEqual([]);
});

test('a keep that another took the place of is a line, until the branch is built on it again', () => {
  const left = [entry(0, 1), entry(1, 0.9, keep), entry(2, 0.8, { ...keep, incumbent: 1, lateParent: 0 })];
  expect(linesOf(left)).toEqual([{ n: 1, metric: 0.9, children: 0 }]);
  const again = [...left, entry(3, 0.7, { ...keep, incumbent: 2, lateParent: 1 })];
  expect(linesOf(again)).toEqual([{ n: 2, metric: 0.8, children: 0 }]);
});

test('the best eight are gone on with, every third experiment, the better and the less tried more often', () => {
  const history = [
    entry(0, 1),
    ...Array.from({ length: 10 }, (_, place) => entry(place + 1, 1.1 + place / 100)),
  ];
  const study = { history, trials: trialsOf(history, []), goal: 'minimize' } as const;
  const chosen = (use: OtherLines) =>
    Array.from({ length: 600 }, (_, n) => chooseOtherLine(study, n, use)?.n ?? null);
  expect(chosen('off').every(n => n === null)).toBe(true);
  expect(chosen('plateau')).toEqual(chosen('always'));
  const all = chosen('always');
  expect(all.filter((n, place) => n !== null && place % 3 !== 0)).toEqual([]);
  const count = (n: number) => all.filter(other => other === n).length;
  expect([1, 2, 3, 4, 5, 6, 7, 8].every(n => count(n) > 0)).toBe(true);
  expect(count(9) + count(10)).toBe(0);
  expect(count(1)).toBeGreaterThan(2 * count(8));
  // Seven trials on the first, all of them crashes.
  const tried = [
    ...history,
    ...Array.from({ length: 7 }, (_, place) => entry(11 + place, null, { lateParent: 1 })),
  ];
  const after = Array.from({ length: 200 }, (_, n) =>
    chooseOtherLine({ ...study, history: tried }, 3 * n, 'always'),
  );
  expect(after.filter(line => line?.n === 1).length).toBeLessThan(count(1) / 2);
});

test('what came of one is told in words, also where the branch loses nothing by it', () => {
  const late = { lateParent: { experiment: 1, record: 1.1 }, incumbentExperiment: 2 };
  const began = 'It builds on #1 (1.100000), which was not on the branch. The incumbent was #2.';
  const kept = 'It was better, so the branch holds exactly what was measured';
  expect(describeLate({ ...late, supersedes: [] }, true)).toBe(`${began} ${kept}.`);
  expect(describeLate({ ...late, supersedes: [2, 3] }, true)).toBe(
    `${began} ${kept}, without the edits of #2, #3.`,
  );
});

test('on a plateau only', () => {
  const history = [entry(0, 1), entry(1, 1.1), entry(2, 0.9, keep), entry(3, 0.95, { incumbent: 2 })];
  const study = { history, trials: trialsOf(history, []), goal: 'minimize' } as const;
  expect(chooseOtherLine(study, 6, 'plateau')).toBeNull();
  expect(chooseOtherLine(study, 6, 'always')).not.toBeNull();
});

const TRAINER = `LR=2
# one
DEPTH=4
# two
WIDTH=16
# three
value=$(( 1000 + 10 * (LR > 8 ? LR - 8 : 8 - LR) + (DEPTH > 8 ? DEPTH - 8 : 8 - DEPTH) + (WIDTH > 8 ? WIDTH - 8 : 8 - WIDTH) ))
echo "val_bpb: $((value / 1000)).$(printf %03d $((value % 1000)))"
`;
const CONTRACT = `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "val_bpb"
verdict = "greedy"
[budget]
seconds = 1
`;

/** Changes one line by the number of the experiment, and leaves what it was told. */
const proposer = (folder: string) => `cat > ${folder}/request
n=$(sed 's/.*"experiment":\\([0-9]*\\),"editable".*/\\1/' ${folder}/request)
mv ${folder}/request ${folder}/request-$n
case $n in
1) change=LR=1;; 2) change=DEPTH=5;; 3) change=LR=8;; 5) change=DEPTH=6;; 6) change=WIDTH=10;; 8) change=WIDTH=9;;
9) if [ -e ${folder}/first-9 ]; then change=DEPTH=9; else cp ${folder}/request-9 ${folder}/first-9; change=WIDTH=10; fi;;
*) change=LR=$n;;
esac
sed -i "s/^\${change%=*}=.*/$change/" train.sh
printf '{"hypothesis":"%s"}\\n' "$change"
`;

test('a proposal starts from another line, which comes to the branch where it is better, and grows where it is not', async () => {
  const folder = await temporaryFolder();
  const night = await prepareNight({ trainer: TRAINER, contract: CONTRACT });
  const environment = { ...process.env, PAWL_HOME: night.home };
  const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
  try {
    const study = await engine.createStudy({
      ...{ repositoryPath: night.repository, tag: TAG, otherLines: 'always' },
      proposer: { kind: 'command', command: proposer(folder), timeoutSeconds: 60 },
      stop: { experiments: 9 },
    });
    const end = await engine.run(study.id, {}, () => {});
    expect(end).toMatchObject({ reason: 'experiments' });
    const { experiments } = engine.ledger;
    const get = (n: number) => experiments.get(study.id, n);
    // #3 was started from #1, which the branch left for #2.
    expect(get(3)).toMatchObject({
      ...{ otherLine: 1, parentCommit: get(1)?.attemptCommit },
      verdict: {
        ...{ word: 'keep', reason: 'better' },
        evidence: { incumbentExperiment: 2, lateParent: { experiment: 1 }, supersedes: [2] },
      },
    });
    const told = JSON.parse(await readFile(join(folder, 'request-3'), 'utf8'));
    expect(told.start).toEqual({ experiment: 1, commit: get(1)?.attemptCommit, metric: 1.082 });
    expect(told.incumbent.experiment).toBe(2);
    const message = await git(
      night.repository,
      'show',
      '--no-patch',
      '--format=%B',
      String(get(3)?.branchCommit),
    );
    expect(message).toContain('Pawl-Supersedes: 2\nPawl-Builds-On: 1');
    // What it took the place of is tried on top of it.
    expect(get(4)?.proposal?.hypothesis).toBe('Combine #2 with #3: DEPTH=5');
    expect(get(4)?.verdict?.word).toBe('keep');
    // #6 is worse than the incumbent and better than #2, whose line it goes on with; so what it did is tried on the incumbent.
    expect(get(6)).toMatchObject({
      otherLine: 2,
      verdict: { word: 'discard', reason: 'worse', evidence: { lateParent: { experiment: 2 } } },
    });
    expect(get(7)?.proposal?.hypothesis).toBe('Combine #6 with #5: WIDTH=10');
    expect(get(7)).toMatchObject({ otherLine: null, verdict: { word: 'keep' } });
    // What was refused on another line is asked for again on the incumbent.
    const asked = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
    const [first, second] = [await asked('first-9'), await asked('request-9')];
    expect(first.start.experiment).not.toBe(first.incumbent.experiment);
    expect(second.start).toEqual(second.incumbent);
    expect(get(9)?.otherLine).toBeNull();
    const history = experiments.history(study.id);
    expect(linesOf(history).find(({ children }) => children === 1)?.n).toBe(6);
    // The stack's first commit holds all that the branch does, not only what #3 changed of #1.
    const repository = await openRepository(night.repository);
    const line = await readLine(engine.ledger, study, repository);
    expect(line.keeps.slice(0, 4).map(({ n, parent }) => [n, parent])).toEqual([
      [3, study.baseCommit],
      [4, get(3)?.branchCommit],
      [5, get(4)?.branchCommit],
      [7, get(5)?.branchCommit],
    ]);
    await checkNight(night);
  } finally {
    await engine.close();
  }
});
