import { readdirSync } from 'node:fs';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { matchEditable, matchPaths, mayMatchBelow } from '../../../src/engine/contract/editable.ts';
import type { Entry } from '../../../src/engine/git/read-folder.ts';
import { removeAt } from '../../../src/engine/git/remove.ts';
import { changedPaths, MAX_NEW_FILES, WorktreeScanner } from '../../../src/engine/git/scan.ts';
import { eventsOf, RunningPawl, sitting } from '../../support/pawl.ts';
import { createRepository, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { checkNight, pausingAt, prepareNight, rowsOf, TAG, untilPaused } from '../../support/study.ts';
import { byExperiment, GOOD_TURN, hostileStudy, proposer, SHELL_FILES } from '../../support/trainers.ts';

/** What would take hours to read, and takes no room. */
const HUGE = 2 ** 40;

/** A worktree as the scanner sees it, with what it was handed. */
function scannerOf(root: string, patterns: { editable: readonly string[]; locked?: readonly string[] }) {
  const { editable, locked = [] } = patterns;
  const scanner = new WorktreeScanner(root, {
    isEditable: matchEditable(editable),
    isNamedLocked: matchPaths(locked),
    mayHold: mayMatchBelow([...editable, ...locked]),
  });
  const pieces: (readonly Entry[])[] = [];
  const onLeftovers = async (leftovers: readonly Entry[]) => {
    pieces.push(leftovers);
  };
  return { scanner, pieces, onLeftovers };
}

async function writeMany(folder: string, count: number, name = (n: number) => `f${n}`): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let start = 0; start < count; start += 500) {
    const numbers = Array.from({ length: Math.min(500, count - start) }, (_, place) => start + place);
    await Promise.all(numbers.map(n => writeFile(join(folder, name(n)), '')));
  }
}

test('a locked or an editable file that a run blows up is told by its size, and is right again for the next', async () => {
  const { verdicts } = await hostileStudy({
    experiments: 3,
    script: byExperiment(
      'report(0.9)',
      `os.truncate('prepare.sh', ${HUGE})\nreport(0.1)`,
      `assert os.path.getsize('prepare.sh') == 11\nos.truncate('train.sh', ${HUGE})\nreport(0.8)`,
      `report(0.7 if os.path.getsize('train.sh') < ${HUGE} else 99)`,
    ),
  });
  expect(verdicts).toEqual(['keep baseline', 'crash locked_file_touched', 'keep better', 'keep better']);
});

test('an edit that is too large to be one is refused and told why, and the next is judged as ever', async () => {
  const { command } = await proposer(`os.truncate('train.sh', ${HUGE})\nanswer()`, GOOD_TURN);
  const { events, verdicts } = await hostileStudy({
    repository: await createRepository(SHELL_FILES),
    script: '',
    experiments: 1,
    flags: ['--command', command],
  });
  expect(eventsOf(events, 'refused').map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
    'too_large: No edited file may be larger than 64 MB: train.sh.',
  ]);
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
});

test('what git ignores in a folder that it does not ignore is part of no edit, and what it does not is named', async () => {
  const ignored = "os.makedirs('deep/in/it')\nopen('deep/in/it/x.o', 'w').close()\nos.makedirs('empty/er')";
  const { command } = await proposer(
    `${ignored}\nopen('deep/in/own', 'w').close()\nedit()\nanswer()`,
    `${ignored}\nedit()\nanswer()`,
  );
  const { events, verdicts } = await hostileStudy({
    repository: await createRepository({ ...SHELL_FILES, '.gitignore': '*.o\n' }),
    script: '',
    experiments: 1,
    flags: ['--command', command],
  });
  expect(eventsOf(events, 'refused').map(event => event.message)).toEqual([
    'The edit touches what the contract does not call editable: deep/in/own.',
  ]);
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
});

test('a folder with nothing in it that matters is one leftover, and a crowded one is handed on in pieces', async () => {
  const root = await temporaryFolder();
  await writeFiles(root, { 'train.py': 'x', 'src/fixed.py': 'x', 'out/deep/new.py': 'x', 'kept/in': 'x' });
  await writeMany(join(root, 'out/many'), 3_000);
  await writeMany(join(root, 'src'), 3_000);
  const { scanner, pieces, onLeftovers } = scannerOf(root, { editable: ['**/*.py'] });
  const tracked = new Set(['train.py', 'src/fixed.py']);
  const { files, hasLeftovers, isCut } = await scanner.scan(
    { tracked, skip: new Set(['kept/in']) },
    { onLeftovers },
  );
  expect([...files.keys()].sort()).toEqual(['out/deep/new.py', 'src/fixed.py', 'train.py']);
  expect({ hasLeftovers, isCut }).toEqual({ hasLeftovers: true, isCut: false });
  const leftovers = pieces.flat();
  expect(leftovers.filter(({ isFolder }) => isFolder).map(({ path }) => path)).toEqual(['out']);
  expect(leftovers).toHaveLength(1 + 3_000);
  expect(Math.max(...pieces.map(piece => piece.length))).toBeLessThanOrEqual(1024);
});

test('what is not looked at stays in its folder, also after another set-up left it elsewhere', async () => {
  const root = await temporaryFolder();
  await writeFiles(root, { 'train.py': 'x', 'a/kept': 'x', 'b/kept': 'x' });
  const { scanner, pieces, onLeftovers } = scannerOf(root, { editable: ['train.py'] });
  const layout = { tracked: new Set(['train.py']), skip: new Set(['a/kept']) };
  await scanner.scan(layout, { onLeftovers });
  layout.skip.clear();
  layout.skip.add('b/kept');
  await scanner.scan(layout, { onLeftovers });
  expect(pieces.flat().map(({ path }) => path)).toEqual(['b', 'a']);
});

test('more new files than any proposal adds are not kept, however wide the patterns are', async () => {
  const root = await temporaryFolder();
  await writeMany(join(root, 'out'), MAX_NEW_FILES + 10);
  const { scanner } = scannerOf(root, { editable: ['**'] });
  const { files, isCut } = await scanner.scan({ tracked: new Set(), skip: new Set() });
  expect(isCut).toBe(true);
  expect(files.size).toBe(MAX_NEW_FILES);
});

test('a folder is only looked into where a pattern can match in it', () => {
  const mayHold = mayMatchBelow(['train.py', 'lib/core/*.rb', 'a.b/c d', 'x{1,2}/y', 'data/**']);
  const folders = ['lib', 'lib/core', 'lib/core/in', 'lib/other', 'a.b', 'a.b/c d', 'out', 'train.py'];
  // The braces can match anywhere.
  expect(folders.filter(mayHold)).toEqual(folders);
  const plain = mayMatchBelow(['train.py', 'lib/core/*.rb', 'a.b/c d', 'data/**']);
  expect(folders.concat('data/in/it').filter(plain)).toEqual([
    ...['lib', 'lib/core', 'lib/core/in', 'a.b', 'data/in/it'],
  ]);
});

test('a file of another size than it had is not read, and a new locked one neither', async () => {
  const root = await temporaryFolder();
  await writeFiles(root, { 'val.bin': 'abc', 'train.py': 'x' });
  const { scanner } = scannerOf(root, { editable: ['train.py'], locked: ['*.bin'] });
  const layout = { tracked: new Set(['val.bin', 'train.py']), skip: new Set<string>() };
  const { files: expected } = await scanner.scan(layout);
  for (const name of ['val.bin', 'new.bin', 'train.py']) {
    await writeFile(join(root, name), '', { flag: 'a' });
    await truncate(join(root, name), HUGE);
  }
  const { files } = await scanner.scan(layout, { expected });
  expect(changedPaths(expected, files)).toEqual(['new.bin', 'train.py', 'val.bin']);
});

test('reading a file, walking and removing end when they are told to', async () => {
  const root = await temporaryFolder();
  const stop = new AbortController();
  await writeFiles(root, { 'data.bin': '' });
  await truncate(join(root, 'data.bin'), HUGE);
  const { scanner } = scannerOf(root, { editable: [] });
  const reading = scanner.scan(
    { tracked: new Set(['data.bin']), skip: new Set() },
    // Nothing is known of it, as of what a user committed: it has to be read.
    { signal: stop.signal },
  );
  setImmediate(() => stop.abort());
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  await expect(
    scanner.scan({ tracked: new Set(), skip: new Set() }, { signal: stop.signal }),
  ).rejects.toMatchObject({ name: 'AbortError' });

  const crowded = join(root, 'crowded');
  await writeMany(crowded, 10_000);
  const removing = new AbortController();
  const removed = removeAt(Buffer.from(crowded), removing.signal);
  const watch = () => {
    if (readdirSync(crowded).length < 10_000) removing.abort();
    else setImmediate(watch);
  };
  watch();
  await expect(removed).rejects.toMatchObject({ name: 'AbortError' });
  expect((await readdir(crowded)).length).toBeGreaterThan(0);
  await removeAt(Buffer.from(crowded));
  expect(await readdir(root)).toEqual(['data.bin']);
});

test('a stop while a worktree is compared interrupts the experiment, and resume runs it again', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const running = new RunningPawl(['run', repository, '--tag', TAG, '-n', '2'], {
    home,
    env: pausingAt({ event: { type: 'phase', n: 1, phase: 'measuring' } }),
  });
  await untilPaused(running);
  running.child.kill('SIGTERM');
  running.child.kill('SIGCONT');
  const { code, stderr } = await running.ended;
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  expect(eventsOf(running.events, 'interrupted').map(event => event.n)).toEqual([1]);
  const { experiments, runs } = rowsOf(home);
  expect(experiments[1]).toMatchObject({ phase: 'interrupted', verdict: null });
  expect(runs.filter(run => run.outcome === null)).toEqual([]);
  const again = await sitting(['resume', repository, '-n', '2'], { home });
  expect(eventsOf(again.events, 'verdict').map(event => event.n)).toEqual([1, 2]);
  await checkNight(night);
});
