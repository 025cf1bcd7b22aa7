import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import { createStudy } from '../src/engine/session/start/create-study.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import { git, temporaryFolder } from './support/scaffold.ts';
import { prepareNight } from './support/study.ts';

test('two engines that begin a study of one name at the same moment do not share its branch', async () => {
  const { repository } = await prepareNight();
  const begin = async (name: string) => {
    const home = join(await temporaryFolder(), name);
    const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
    onTestFinished(() => ledger.close());
    const proposer = { kind: 'search', seed: 1 } as const;
    const input = { repositoryPath: repository, tag: 'night', proposer };
    const surroundings = { home, environment: process.env };
    const outcome = await createStudy(ledger, input, 0, surroundings, async () => {}).then(
      ({ tag }) => tag,
      error => error.code,
    );
    return { outcome, studies: ledger.studies.list().length };
  };
  const both = await Promise.all([begin('a'), begin('b')]);
  expect(both.toSorted((a, b) => a.studies - b.studies)).toEqual([
    { outcome: 'branch_exists', studies: 0 },
    { outcome: 'night', studies: 1 },
  ]);
  expect(await git(repository, 'for-each-ref', '--format=%(refname)', 'refs/heads/autoresearch')).toBe(
    'refs/heads/autoresearch/night',
  );
});
