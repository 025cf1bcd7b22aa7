import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { branchStack } from '../src/engine/stack/make-branch.ts';
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
