import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { branchStack } from '../src/engine/stack/make-branch.ts';
import { describeStack } from '../src/engine/stack/pull-request.ts';
import { seriesOf } from '../src/engine/stack/write-series.ts';
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
