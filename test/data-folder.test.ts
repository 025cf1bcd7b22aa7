import { chmodSync, linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import { isEngineRunning, makeDataFolder, takeEngineLock } from '../src/engine/store/engine-lock.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import { tightenDataFolder } from '../src/engine/store/tighten-data-folder.ts';
import { pawl, sitting } from './support/pawl.ts';
import { canBeNobody, NOBODY } from './support/repositories.ts';
import { fastRepository, temporaryFolder } from './support/scaffold.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const holder = { pid: process.pid, host: 'test', startedAt: 0, repository: null };

/** A data folder as an earlier Pawl left it: everybody may look. */
async function openFolder(): Promise<ReturnType<typeof dataPaths>> {
  const home = join(await temporaryFolder(), 'data');
  const paths = dataPaths({ PAWL_HOME: home });
  for (const folder of [home, paths.studies, paths.worktrees, join(home, 'logs')]) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
  }
  openLedger(paths.ledger).close();
  chmodSync(paths.ledger, 0o644);
  return paths;
}

test('an open data folder is closed when an engine takes it, and that is said once', async () => {
  const paths = await openFolder();
  const lock = takeEngineLock(paths, holder);
  expect(lock.tightened).toBe(
    `Other users of this machine could read the data folder ${paths.home}. Now only you can.`,
  );
  expect(modeOf(paths.home)).toBe('700');
  lock.release();
  const again = takeEngineLock(paths, holder);
  expect(again.tightened).toBeNull();
  again.release();
});

test('a study in an open data folder runs as ever and leaves it closed', async () => {
  const paths = await openFolder();
  const { code, stderr } = await sitting(['run', await fastRepository(), '--tag', 'night', '-n', '1'], {
    home: paths.home,
  });
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(modeOf(paths.home)).toBe('700');
  expect((await pawl(['results'], { home: paths.home })).code).toBe(0);
});

test("of a folder that holds other things only Pawl's entries are closed", async () => {
  const paths = await openFolder();
  const theirs = join(paths.home, 'thesis.txt');
  writeFileSync(theirs, '', { mode: 0o644 });
  expect(tightenDataFolder(paths)).toBe(
    `Other users of this machine could read logs, pawl.sqlite, studies, worktrees in ${paths.home}. Now only you can.`,
  );
  expect([paths.home, theirs].map(modeOf)).toEqual(['755', '644']);
  expect([paths.ledger, paths.studies].map(modeOf)).toEqual(['600', '700']);
  expect(tightenDataFolder(paths)).toBeNull();
  // What an engine writes there is closed as well.
  takeEngineLock(paths, holder).release();
  const lock = takeEngineLock(paths, holder);
  expect(modeOf(paths.lockHolder)).toBe('600');
  lock.release();
});

test('no link is followed, and a file with another name elsewhere is left alone', async () => {
  const elsewhere = await temporaryFolder();
  chmodSync(elsewhere, 0o755);
  const file = join(elsewhere, 'file');
  writeFileSync(file, '', { mode: 0o644 });
  const paths = await openFolder();
  writeFileSync(join(paths.home, 'theirs'), '');
  symlinkSync(elsewhere, join(paths.home, 'samples'));
  symlinkSync(file, join(paths.home, 'engine.json'));
  linkSync(file, join(paths.home, 'pawl.sqlite-old'));
  tightenDataFolder(paths);
  expect([elsewhere, file].map(modeOf)).toEqual(['755', '644']);
  // The folder itself may be a link of the user's.
  const link = join(elsewhere, 'data');
  symlinkSync(paths.home, link);
  chmodSync(paths.ledger, 0o644);
  expect(tightenDataFolder(dataPaths({ PAWL_HOME: link }))).toContain('pawl.sqlite');
  expect(modeOf(paths.home)).toBe('755');
});

test("what belongs to another user is not touched, and a user's own home is none of Pawl's", async () => {
  const paths = await openFolder();
  if (await canBeNobody()) {
    await chown(paths.home, NOBODY, NOBODY);
    await chown(paths.ledger, NOBODY, NOBODY);
    tightenDataFolder(paths);
    expect([paths.home, paths.ledger, paths.studies].map(modeOf)).toEqual(['755', '644', '700']);
  }
  const { HOME } = process.env;
  const own = await openFolder();
  try {
    process.env.HOME = own.home;
    tightenDataFolder(own);
    expect([own.home, own.ledger].map(modeOf)).toEqual(['755', '600']);
  } finally {
    process.env.HOME = HOME;
  }
});

test('the locks this process has on the files are still held afterwards', async () => {
  const paths = await openFolder();
  writeFileSync(join(paths.home, 'theirs'), '');
  const lock = takeEngineLock(paths, holder);
  chmodSync(paths.lock, 0o644);
  expect(tightenDataFolder(paths)).toContain('engine.lock');
  expect(isEngineRunning(paths)).toBe(true);
  // SQLite within one process does not ask the system; another process does.
  expect((await pawl(['run', await fastRepository()], { home: paths.home })).stderr).toContain(
    'Another Pawl is running',
  );
  lock.release();
});

test('a new data folder is the user’s alone, whoever makes it', async () => {
  const paths = dataPaths({ PAWL_HOME: join(await temporaryFolder(), 'new', 'home') });
  makeDataFolder(paths);
  expect(modeOf(paths.home)).toBe('700');
});
