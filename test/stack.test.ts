import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { subjectOf } from '../src/engine/stack/commit-message.ts';
import { branchBest, branchStack } from '../src/engine/stack/make-branch.ts';
import { describeStack } from '../src/engine/stack/pull-request.ts';
import { queueTrial } from '../src/engine/stack/queue-trial.ts';
import { readStack } from '../src/engine/stack/stack.ts';
import { saveSeries, seriesOf } from '../src/engine/stack/write-series.ts';
import { keptNight, readAt, set } from './support/kept-night.ts';
import { git, snapshotUserState, temporaryFolder } from './support/scaffold.ts';

/** Each on a line of its own, one below the other; 3 was not kept, and what 4 gained was luck. */
const NIGHT = [
  { edit: set('LR', 2), metric: 0.9, hypothesis: 'Double the learning rate.', rationale: 'It is too low.' },
  { edit: set('DEPTH', 2), metric: 0.8, hypothesis: 'Make it deeper' },
  { edit: set('WIDTH', 9), metric: 0.95, verdict: 'discard' },
  { edit: set('BETA', 7), metric: 0.7, verdict: 'rolled_back' },
  { edit: set('WIDTH', 2), metric: 0.6, hypothesis: 'Make it wider' },
] as const;

const all = { order: null, signsOff: false };
const statesOf = ({ steps }: Awaited<ReturnType<typeof readStack>>) =>
  steps.map(step => (step.state === 'measured' ? `${step.n} as ${step.by.n}` : `${step.n} ${step.state}`));

test('a night becomes a commit for each keep that stayed, and the checkout stays as it is, detached and dirty', async () => {
  const { repository, study, ports, commits } = await keptNight(NIGHT);
  await git(repository, 'checkout', '--quiet', '--detach');
  await writeFile(join(repository, 'README.md'), 'Mine, changed.\n');
  await writeFile(join(repository, 'train.py'), 'staged\n');
  await git(repository, 'add', 'train.py');
  await writeFile(join(repository, 'new.txt'), 'mine\n');
  const before = [await snapshotUserState(repository), await git(repository, 'status', '--porcelain')];

  const stack = await readStack(ports, study, null);
  expect(stack.keeps.map(({ n, gain }) => [n, gain?.toFixed(2)])).toEqual([
    [1, '0.10'],
    [2, '0.10'],
    [5, '0.20'],
  ]);
  expect(stack.keeps[0]).toMatchObject({ added: 1, removed: 1, isProven: false });
  expect(statesOf(stack)).toEqual(['1 as 1', '2 as 2', '5 as 5']);
  expect(stack.measured).toMatchObject({ n: 5, record: { mean: 0.6 } });
  expect(stack.author).toBe('Ada Lovelace <ada@localhost>');

  const { commit, count } = await branchStack(ports, study, { order: null, signsOff: true, branch: 'mine' });
  expect(count).toBe(3);
  expect(await git(repository, 'rev-parse', 'mine')).toBe(commit);
  expect(await git(repository, 'rev-parse', 'mine^{tree}')).toBe(
    await git(repository, 'rev-parse', `${commits[5]}^{tree}`),
  );
  expect((await git(repository, 'log', '--format=%s', 'main..mine')).split('\n')).toEqual([
    'Make it wider',
    'Make it deeper',
    'Double the learning rate',
  ]);
  expect(
    await git(repository, 'log', '-1', '--format=%an <%ae> %cn %at%n%B', 'mine~2'),
  ).toBe(`Ada Lovelace <ada@localhost> Ada Lovelace 1700000060
Double the learning rate

It is too low.

val_bpb (lower is better): 1.000000 → 0.900000, gain +0.1.
Measured: experiment 1 (one run) against 0 (one run).
Certainty: P 0.86 that it is a gain, unproven.

Pawl-Study: night
Pawl-Experiment: 1
Signed-off-by: Ada Lovelace <ada@localhost>`);
  await git(repository, 'update-ref', '-d', 'refs/heads/mine');
  expect([await snapshotUserState(repository), await git(repository, 'status', '--porcelain')]).toEqual(
    before,
  );
});

test('a choice in another order is laid anew, and says which of it was measured', async () => {
  const { repository, study, ports } = await keptNight([
    ...NIGHT,
    // The first and the fifth together, which was not better.
    {
      edit: [set('LR', 2), set('DEPTH', 1), set('WIDTH', 2)].join('\n'),
      metric: 0.65,
      verdict: 'discard',
    },
  ]);
  expect(statesOf(await readStack(ports, study, [5, 1]))).toEqual(['5 untested', '1 as 6']);
  expect(await readStack(ports, study, [5, 1])).toMatchObject({ measured: { n: 6, record: { mean: 0.65 } } });
  const untested = await readStack(ports, study, [2, 5]);
  expect(statesOf(untested)).toEqual(['2 untested', '5 untested']);
  expect(untested.measured).toBeNull();
  const { commit } = await branchStack(ports, study, { order: [5, 2], signsOff: false, branch: 'two' });
  expect(await readAt(repository, commit, 'train.py')).toBe(
    'LR = 1\nDEPTH = 2\nWIDTH = 2\nBETA = 1\nprint(LR)',
  );
  expect(await git(repository, 'log', '-1', '--format=%b', 'two')).toContain(
    'That was measured on other commits than those before this one; this tree\nwas not measured.',
  );
  await branchStack(ports, study, { order: [5, 1], signsOff: false, branch: 'other' });
  expect(await git(repository, 'log', '-1', '--format=%b', 'other')).toContain(
    'this tree\nis that of experiment 6, val_bpb 0.650000.',
  );
});

test('a conflict is told with its files, what comes after goes on, and nothing is written', async () => {
  const { repository, study, ports } = await keptNight([
    { edit: set('LR', 2), metric: 0.9 },
    { edit: set('LR', 3), metric: 0.8 },
    { edit: set('BETA', 2), metric: 0.7 },
  ]);
  const before = await git(repository, 'count-objects', '-v');
  const stack = await readStack(ports, study, [2, 3]);
  expect(stack.steps).toEqual([
    { n: 2, state: 'conflict', files: ['train.py'] },
    { n: 3, state: 'untested' },
  ]);
  const refusal = '#2 (train.py) conflicts with the commits before: leave it out, or choose another order.';
  const choice = { order: [2, 3], signsOff: false };
  for (const refused of [
    () => branchStack(ports, study, { ...choice, branch: 'mine' }),
    () => seriesOf(ports, study, choice),
    () => describeStack(ports, study, choice.order),
    () => queueTrial(ports, study, { order: [1, 2, 3], without: 1 }),
  ]) {
    await expect(refused()).rejects.toMatchObject({ code: 'usage', message: refusal });
  }
  expect(await git(repository, 'for-each-ref', 'refs/heads')).not.toContain('mine');
  expect(await git(repository, 'count-objects', '-v')).toBe(before);
  expect(await readdir(ports.paths.scratch)).toEqual([]);
});

test('a change that is there already is left out', async () => {
  const { study, ports } = await keptNight([
    { edit: set('LR', 2), metric: 0.9 },
    { edit: set('LR', 1), metric: 0.8 },
    { edit: set('LR', 2), metric: 0.7 },
  ]);
  expect(statesOf(await readStack(ports, study, [1, 3]))).toEqual(['1 as 1', '3 empty']);
  expect((await branchStack(ports, study, { order: [1, 3], signsOff: false, branch: 'one' })).count).toBe(1);
  await expect(
    branchStack(ports, study, { order: [], signsOff: false, branch: 'none' }),
  ).rejects.toMatchObject({ message: 'The stack has no commit: choose something that was kept.' });
});

const BYTES = Buffer.from([0, 255, 1, 254, 10, 13, 0]);

test('modes, renames, deletions, links and binary files are laid anew, and patches bring them too', async () => {
  const { repository, study, ports, commits } = await keptNight(
    [
      { edit: set('LR', 2), metric: 0.9 },
      { edit: 'chmod +x run.sh', metric: 0.8 },
      { edit: 'git mv old.py new.py; rm gone.py; ln -s new.py link', metric: 0.7 },
      { edit: "printf '\\000\\001\\377' > data.bin; printf 'caf\\351\\n' > latin.txt", metric: 0.6 },
      { edit: 'echo more >> new.py', metric: 0.5 },
    ],
    { 'run.sh': 'true\n', 'old.py': 'a\nb\nc\nd\n', 'gone.py': 'x\n', 'data.bin': BYTES },
  );
  const choice = { order: [4, 3, 5, 2, 1], signsOff: false };
  const { commit } = await branchStack(ports, study, { ...choice, branch: 'mine' });
  expect(await git(repository, 'rev-parse', `${commit}^{tree}`)).toBe(
    await git(repository, 'rev-parse', `${commits[5]}^{tree}`),
  );
  const folder = join(await temporaryFolder(), 'made', 'patches');
  const files = await saveSeries(ports, study, folder, choice);
  expect(files.map(file => file.slice(folder.length + 1))).toEqual([
    '0001-Idea-4.patch',
    '0002-Idea-3.patch',
    '0003-Idea-5.patch',
    '0004-Idea-2.patch',
    '0005-Idea-1.patch',
  ]);
  const mbox = join(await temporaryFolder(), 'night.mbox');
  await writeFile(mbox, await seriesOf(ports, study, choice));
  for (const patches of [files, [mbox]]) {
    const clone = join(await temporaryFolder(), 'clone');
    await git(repository, 'clone', '--quiet', repository, clone);
    await git(clone, 'am', '--quiet', ...patches);
    expect(await git(clone, 'rev-parse', 'HEAD^{tree}')).toBe(
      await git(repository, 'rev-parse', `${commits[5]}^{tree}`),
    );
  }
});

test('a keep that renames meets one that edits the file', async () => {
  const { repository, study, ports } = await keptNight(
    [
      { edit: 'git mv old.py new.py', metric: 0.9 },
      { edit: "sed -i 's/^b/B/' new.py", metric: 0.8 },
    ],
    { 'old.py': 'a\nb\nc\nd\ne\nf\n' },
  );
  const { commit } = await branchStack(ports, study, { order: [2, 1], signsOff: false, branch: 'mine' });
  expect(await readAt(repository, commit, 'new.py')).toBe('a\nB\nc\nd\ne\nf');
  expect(await git(repository, 'ls-tree', '--name-only', `${commit}~1`)).toContain('old.py');
});

test('a branch that is there is never replaced, and a bad name or a stranger in the order is refused', async () => {
  const { repository, study, ports } = await keptNight(NIGHT);
  await git(repository, 'branch', 'mine');
  const main = await git(repository, 'rev-parse', 'main');
  const refuse = (branch: string, order: readonly number[] | null = null) =>
    branchStack(ports, study, { order, signsOff: false, branch }).catch(error => error.message);
  const taken = (name: string) =>
    `The branch ${name} already exists, or another one blocks its name. Choose another name.`;
  expect(await refuse('mine')).toBe(taken('mine'));
  expect(await refuse('mine/too')).toBe(taken('mine/too'));
  expect(await refuse('a..b')).toBe('"a..b" is not a valid branch name.');
  expect(await refuse('-x')).toBe('"-x" is not a valid branch name.');
  const known = 'these are: #1, #2, #5.';
  expect(await refuse('x', [3])).toBe(`#3 is not a kept experiment of night; ${known}`);
  expect(await refuse('x', [1, 1])).toBe('A commit can be in a stack only once.');
  expect(await git(repository, 'rev-parse', 'mine')).toBe(main);
  expect(await git(repository, 'for-each-ref', '--format=%(refname:short)', 'refs/heads')).toBe('main\nmine');
});

test('the branch at the best as it is has the commits of the study', async () => {
  const { repository, study, ports, commits, ledger } = await keptNight(NIGHT);
  expect(await branchBest(ports, study, 'best')).toMatchObject({ n: 5, commit: commits[5] });
  expect(await git(repository, 'rev-parse', 'best')).toBe(commits[5]);
  expect(ledger.marks.ofKind('s1', 'applied').map(({ text }) => text)).toEqual([
    `best made at #5 (${commits[5]?.slice(0, 7)})`,
  ]);
});

test('without a name in git nothing is committed, and one sentence says what to do', async () => {
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  try {
    const { repository, study, ports } = await keptNight(NIGHT);
    await git(repository, 'config', '--unset', 'user.name');
    expect((await readStack(ports, study, null)).author).toBeNull();
    await expect(branchStack(ports, study, { ...all, branch: 'mine' })).rejects.toMatchObject({
      code: 'usage',
      message:
        'git has no name for you here: run "git config user.name" and "git config user.email" in the repository.',
    });
    // The text of a pull request has no author.
    expect((await describeStack(ports, study, null)).title).toContain('3 changes');
  } finally {
    vi.unstubAllEnvs();
  }
});

test('patches go into no checkout and replace no file', async () => {
  const { repository, study, ports } = await keptNight(NIGHT);
  const before = await snapshotUserState(repository);
  const elsewhere = await temporaryFolder();
  await symlink(repository, join(elsewhere, 'link'));
  for (const folder of [
    join(repository, 'out'),
    join(repository, '.git', 'x'),
    join(elsewhere, 'link/a/b'),
  ]) {
    await expect(saveSeries(ports, study, folder, all)).rejects.toMatchObject({
      message: `${folder} lies in your checkout, where Pawl writes nothing: name another folder.`,
    });
  }
  expect(await snapshotUserState(repository)).toBe(before);
  const folder = join(elsewhere, 'out');
  await mkdir(folder);
  await writeFile(join(folder, '0002-Make-it-deeper.patch'), 'mine');
  await expect(saveSeries(ports, study, folder, all)).rejects.toMatchObject({ code: 'usage' });
  expect(await readdir(folder)).toEqual(['0002-Make-it-deeper.patch']);
  expect(await readFile(join(folder, '0002-Make-it-deeper.patch'), 'utf8')).toBe('mine');
});

test('what a model wrote in a message adds nothing to a patch', async () => {
  const evil = `From: Mallory <m@localhost>
Subject: other
---
diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1 @@
-Mine.
+Theirs.
From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001
Signed-off-by: Mallory <m@localhost>`;
  const { repository, study, ports, commits } = await keptNight([
    { edit: set('LR', 2), metric: 0.9, rationale: evil },
    { edit: set('DEPTH', 2), metric: 0.8, hypothesis: `From: ${'x'.repeat(80)}`, rationale: `\n\n${evil}` },
  ]);
  const clone = join(await temporaryFolder(), 'clone');
  await git(repository, 'clone', '--quiet', repository, clone);
  const mbox = join(await temporaryFolder(), 'night.mbox');
  await writeFile(mbox, await seriesOf(ports, study, all));
  await promisify(execFile)('git', ['am', '--quiet', mbox], { cwd: clone, env: committer() });
  expect(await git(clone, 'rev-parse', 'HEAD^{tree}')).toBe(
    await git(repository, 'rev-parse', `${commits[2]}^{tree}`),
  );
  expect(await git(clone, 'log', '--format=%an', 'origin/main..')).toBe('Ada Lovelace\nAda Lovelace');
  expect(await git(clone, 'log', '-1', '--format=%s', 'HEAD~1')).toBe('Idea 1');
  expect(await git(clone, 'log', '--format=%B', 'origin/main..')).toContain('+Theirs.');
  expect(await git(clone, 'log', '--format=%(trailers:key=Signed-off-by)', 'origin/main..')).toBe('');
});

/** As a machine without any settings of git's. */
function committer(): NodeJS.ProcessEnv {
  const name = { GIT_COMMITTER_NAME: 'X', GIT_COMMITTER_EMAIL: 'x@localhost' };
  return { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null', ...name };
}

test('a subject fits, and keeps what tells two of a kind apart', () => {
  expect(subjectOf('Make it deeper.')).toBe('Make it deeper');
  const long = `Raise the ${'very '.repeat(14)}long name of a constant from 0.25 to 0.5`;
  expect([...subjectOf(long)].length).toBeLessThanOrEqual(72);
  expect(subjectOf(long)).toMatch(/…/);
});

test('the text of a pull request has the gains and how they were measured, and nothing of this machine', async () => {
  const { repository, home, study, ports } = await keptNight([
    { ...NIGHT[0], rationale: 'See @someone and <b>/etc</b>' },
    { ...NIGHT[1] },
  ]);
  const secret = 'correct horse battery staple';
  const told = { ...ports, environment: { MY_TOKEN: secret } };
  ports.ledger.write(() =>
    ports.ledger.experiments.propose('s1', 2, {
      ...{ hypothesis: `Read ${repository}/data | ${secret}`, rationale: home },
      ...{ predictedEffect: null, category: null, memo: null },
    }),
  );
  ports.ledger.write(() => ports.ledger.experiments.setPhase('s1', 2, 'recorded'));
  const { title, text } = await describeStack(told, study, null);
  expect(title).toBe('Take val_bpb from 1.000000 to 0.800000 with 2 changes');
  expect(text).toContain('**val\\_bpb (lower is better): 1.000000 → 0.800000, −20.00 %.**');
  expect(text).toContain('Exactly this code was measured as experiment 2 (one run)');
  expect(text).toContain('| Double the learning rate. | +0.1 | 0.900000 | unproven, 73 % | +1 −1 |');
  expect(text).toContain('(assumed; nothing was repeated)');
  for (const hidden of [repository, home, secret, '@someone', '<b>']) expect(text).not.toContain(hidden);
  const message = String(await seriesOf(told, study, all));
  for (const hidden of [repository, home, secret]) expect(message).not.toContain(hidden);

  const one = await describeStack(told, study, [1]);
  expect(one.title).toBe('Double the learning rate');
  expect(one.text).toContain('## Kept, and not part of this');
  expect((await describeStack(told, study, [2])).text).toContain(
    'This combination was not measured as a whole.',
  );
});

test('the stack without one waits in the queue with exactly its files, unless it was measured', async () => {
  const { repository, study, ports, ledger } = await keptNight(NIGHT);
  const idea = await queueTrial(ports, study, { order: [1, 2, 5], without: 1 });
  expect(idea).toMatchObject({
    hypothesis: 'Without #1: Double the learning rate.',
    category: 'ablation',
    author: 'you',
    files: ['train.py'],
  });
  expect(ledger.ideas.get('s1', idea.id)?.edit?.files.get('train.py')).toBe(
    'LR = 1\nDEPTH = 2\nWIDTH = 2\nBETA = 1\nprint(LR)\n',
  );
  await expect(queueTrial(ports, study, { order: [1, 2, 5], without: 5 })).rejects.toMatchObject({
    message: 'Experiment 2 measured exactly this already: val_bpb 0.800000.',
  });
  await expect(queueTrial(ports, study, { order: [1, 2], without: 5 })).rejects.toMatchObject({
    code: 'usage',
  });
  expect(await queueTrial(ports, study, { order: [5, 1], without: null })).toMatchObject({
    hypothesis: 'Stack of #5, #1',
  });
  expect(ledger.ideas.waiting('s1')).toHaveLength(2);
  expect(await git(repository, 'status', '--porcelain')).toBe('');
});
