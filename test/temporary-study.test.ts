import { existsSync } from 'node:fs';
import { mkdir, rmdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import { createStudy } from '../src/engine/session/start/create-study.ts';
import {
  openTemporaryLedger,
  removeTemporaryStudies,
  temporaryPaths,
} from '../src/engine/session/start/temporary-study.ts';
import { pawl } from './support/pawl.ts';
import { git } from './support/scaffold.ts';
import { prepareNight } from './support/study.ts';

/** What an engine does with the studies that an earlier one left in its folder for temporary ones. */

const LONG_AGO = new Date(0);

/** A data folder with a study that nobody came to remove for each tag, all of one repository. */
async function leave(...tags: string[]) {
  const { home, repository } = await prepareNight();
  const paths = dataPaths({ PAWL_HOME: home });
  const ledger = await openTemporaryLedger(paths);
  for (const tag of tags) {
    const proposer = { kind: 'search', seed: 1 } as const;
    const surroundings = { home, environment: process.env };
    await createStudy(ledger, { repositoryPath: repository, tag, proposer }, 0, surroundings, async () => {});
  }
  ledger.close();
  const branches = async () =>
    (await git(repository, 'for-each-ref', '--format=%(refname:lstrip=3)', 'refs/heads/autoresearch'))
      .split('\n')
      .filter(Boolean);
  expect(await branches()).toEqual(tags);
  return { ...{ home, repository, paths, branches }, root: join(home, 'temporary') };
}

/** git meets a lock there that is no file, so nobody takes it away. */
async function block(repository: string, tag: string): Promise<string> {
  const lock = join(repository, '.git', 'refs', 'heads', 'autoresearch', `${tag}.lock`);
  await mkdir(lock);
  await utimes(lock, LONG_AGO, LONG_AGO);
  return lock;
}

test('a study that cannot be removed is told of and stays for the next time, and the others go', async () => {
  const { repository, paths, branches, root } = await leave('a', 'b', 'c');
  const lock = await block(repository, 'b');
  const faults = await removeTemporaryStudies(paths);
  expect(faults).toEqual([expect.stringContaining(`${repository} (refs/heads/autoresearch/b)`)]);
  expect(faults[0]).toContain(lock);
  expect(await branches()).toEqual(['b']);
  expect(existsSync(root)).toBe(true);
  await rmdir(lock);
  expect(await removeTemporaryStudies(paths)).toEqual([]);
  expect([await branches(), existsSync(root)]).toEqual([[], false]);
});

test('the lock that a git which was killed left on its branch is no obstacle', async () => {
  const { repository, paths, branches } = await leave('a');
  const lock = join(repository, '.git', 'refs', 'heads', 'autoresearch', 'a.lock');
  await writeFile(lock, '');
  await utimes(lock, LONG_AGO, LONG_AGO);
  expect(await removeTemporaryStudies(paths)).toEqual([]);
  expect(await branches()).toEqual([]);
});

test('Pawl starts in spite of it, and its first sitting warns', async () => {
  const { home, repository } = await leave('a');
  await block(repository, 'a');
  const { code, stdout } = await pawl(['run', repository, '-n', '0', '--json'], { home });
  expect(code).toBe(0);
  expect(stdout).toMatch(/"code":"metric_check","message":"What a metric check left in [^"]* could not/);
});

test('a ledger that is damaged holds no study, and one of a later Pawl stays', async () => {
  const { paths, branches, root } = await leave('a');
  const { ledger } = temporaryPaths(paths);
  const database = new BetterSqlite3(ledger);
  database.pragma('user_version = 9999');
  database.close();
  expect(await removeTemporaryStudies(paths)).toEqual([expect.stringContaining(ledger)]);
  expect([await branches(), existsSync(root)]).toEqual([['a'], true]);
  await writeFile(ledger, 'no ledger');
  expect(await removeTemporaryStudies(paths)).toEqual([]);
  expect(existsSync(root)).toBe(false);
});
