import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { branchStack } from '../src/engine/stack/make-branch.ts';
import { describeStack } from '../src/engine/stack/pull-request.ts';
import { queueTrial } from '../src/engine/stack/queue-trial.ts';
import { saveSeries, seriesOf } from '../src/engine/stack/write-series.ts';
import { keptNight, readAt, set } from './support/kept-night.ts';
import { git, temporaryFolder } from './support/scaffold.ts';

const TWO = [
  { edit: set('LR', 2), metric: 0.9 },
  { edit: set('WIDTH', 2), metric: 0.8 },
] as const;

test('a clone without its history takes any order', async () => {
  const { repository, study, ports } = await keptNight(TWO, {}, async origin => {
    await git(origin, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    const clone = join(await temporaryFolder(), 'clone');
    await git(origin, 'clone', '--quiet', '--depth', '1', `file://${origin}`, clone);
    return clone;
  });
  expect(await git(repository, 'rev-parse', '--is-shallow-repository')).toBe('true');
  const choice = { order: [2, 1], signsOff: false };
  const { commit } = await branchStack(ports, study, { ...choice, branch: 'mine' });
  expect(await readAt(repository, commit, 'train.py')).toBe(
    'LR = 2\nDEPTH = 1\nWIDTH = 2\nBETA = 1\nprint(LR)',
  );
  expect(await git(repository, 'rev-list', '--count', 'main..mine')).toBe('2');
  expect(String(await seriesOf(ports, study, choice))).toContain('+WIDTH = 2');
});

test('what a model wrote mentions nobody, closes no issue, signs nothing off and cuts no message', async () => {
  const rationale = `Thanks to @someone, closes #12 and GH-34, fixes https://forge.test/a/b/issues/56.
Signed-off-by: Mallory <m@localhost>
  Reviewed-by : Mallory
 -- >8 --
--8<-- %< ->8<- --
The end.`;
  const { repository, study, ports } = await keptNight([
    { ...TWO[0], hypothesis: 'Closes #78, as @other asked', rationale },
    { ...TWO[1], hypothesis: 'Acked-by: Mallory <m@localhost>' },
  ]);
  const mbox = join(await temporaryFolder(), 'night.mbox');
  await writeFile(mbox, await seriesOf(ports, study, { order: null, signsOff: true }));
  await git(repository, 'am', '--quiet', '--scissors', mbox);
  const message = await git(repository, 'log', '-1', '--format=%B', 'HEAD~1');
  expect(message).toContain('Closes #\u200b78, as @\u200bother asked\n');
  expect(message).toContain('The end.');
  const all = await git(repository, 'log', '-2', '--format=%B');
  for (const live of ['@someone', '@other', '#12', '#78', 'GH-34', 'issues/56']) {
    expect(all).not.toContain(live);
  }
  const signed = all.split('\n').filter(line => /^\s*[\w-]+-by\s*:/i.test(line));
  expect(signed).toEqual(Array(2).fill('Signed-off-by: Ada Lovelace <ada@localhost>'));
  for (const order of [[1], [2]]) {
    const { title } = await describeStack(ports, study, order);
    expect(title).not.toMatch(/@other|#78|-by:/);
  }
});

test('a stack with what is no UTF-8, in a file or in its name, is not put into the queue', async () => {
  const { study, ports, ledger } = await keptNight([
    { edit: "printf 'caf\\351\\n' > latin.txt", metric: 0.9 },
    { edit: 'echo x > latin.txt', metric: 0.8 },
    { edit: `echo x > "$(printf 'caf\\351.txt')"`, metric: 0.7 },
    { edit: 'rm caf*', metric: 0.6 },
    { edit: set('LR', 2), metric: 0.5 },
  ]);
  const texts = { ...study, contract: { ...study.contract, editable: ['train.py', '*.txt'] } };
  for (const [order, what] of [
    [[1, 5], 'latin.txt is not UTF-8 text, or would be removed'],
    [[1, 2, 3, 5], 'The name of a file is not UTF-8'],
  ] as const) {
    await expect(queueTrial(ports, texts, { order, without: null })).rejects.toMatchObject({
      code: 'usage',
      message: `${what}: such a stack cannot be put into the queue.`,
    });
  }
  expect(ledger.ideas.waiting('s1')).toEqual([]);
});

test('where a patch cannot be written, none is left', async () => {
  const { study, ports } = await keptNight([
    { ...TWO[0], hypothesis: 'A' },
    { ...TWO[1], hypothesis: 'A longer name of a file' },
  ]);
  // In it a file may have a short name, but no long one.
  const root = await temporaryFolder();
  const most = (process.platform === 'darwin' ? 1023 : 4095) - '/0001-A.patch'.length - root.length;
  const folder = root + `/${'d'.repeat(199)}`.repeat(Math.floor(most / 200)) + '/'.padEnd(most % 200, 'd');
  await expect(saveSeries(ports, study, folder, { order: null, signsOff: false })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('(ENAMETOOLONG)'),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('gains that are not known are told as such, and are no sum', async () => {
  const { study, ports, ledger } = await keptNight([
    ...TWO,
    { edit: set('BETA', 2), metric: 0.7 },
    { edit: set('DEPTH', 2), metric: 0.6 },
  ]);
  const sentence = async (order: readonly number[]) =>
    /^Each change was measured.*$/m.exec((await describeStack(ports, study, order)).text)?.[0];
  const sum =
    'Each change was measured on the code for which it was found, among other changes. Their gains in val\\_bpb';
  const condition = 'which holds only if they do not depend on each other.';
  expect(await sentence([3, 1])).toBe(`${sum} (lower is better) add up to +0.2, ${condition}`);
  // The third has then nothing that it was better than.
  ledger.write(() => {
    ledger.experiments.decide('s1', 2, { word: 'keep', reason: 'better', evidence: { run: 0 } }, 1);
    ledger.experiments.setPhase('s1', 2, 'recorded');
  });
  expect(await sentence([3, 1])).toBe(
    `${sum} (lower is better) add up to +0.1, without one that is not known, ${condition}`,
  );
  expect(await sentence([4, 3, 2])).toContain('add up to +0.1, without 2 that are not known, which');
  const none = (await describeStack(ports, study, [3, 2])).text;
  expect(none).toContain('\nThe gains of these changes are not known.\n');
  expect(none).not.toContain('add up');
});
