import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { benchCompatibility, type Outcome, readFolder } from '../bench/compatibility.ts';
import { contractFile, createRepository, temporaryFolder, writeFiles } from './support/scaffold.ts';

const TREE = {
  'train.sh': 'echo 1\n',
  'judge.sh': 'echo 2\n',
  '.github/workflows/run.yml': 'on: push\n',
  'pawl.toml': contractFile(),
};

const AS_READ = {
  metric: 'val_bpb',
  goal: 'minimize',
  editable: ['train.sh'],
  locked: null,
  train: 'sh train.sh',
  unclear: [],
  notes: '',
};

const TABLE =
  'commit\tval_bpb\tmemory_gb\tstatus\tdescription\n' +
  'a1b2c3d\t0.997900\t44.0\tkeep\tbaseline\n' +
  'b2c3d4e\t0.993200\t44.2\tkeep\tlarger matrices\n' +
  'c3d4e5f\t1.005000\t44.0\tdiscard\tGELU\n' +
  'd4e5f6a\t0.000000\t0.0\tcrash\twider\n';

const TABLE_AS_READ = {
  metric: 'val_bpb',
  goal: 'minimize',
  ...{ rows: 4, keep: 2, discard: 1, crash: 1, best: 0.9932 },
  unclear: [],
  notes: '',
};

test('a repository is understood that is taken for what the reader took it for', async () => {
  expect(await repositoryWith(AS_READ)).toMatchObject({ kind: 'understood', isJudged: true });
});

test.each([
  ['metric', { metric: 'val_acc' }, 'metric val_bpb, where it is val_acc'],
  ['direction', { goal: 'maximize' }, 'goal minimize, where it is maximize'],
  [
    'editable file',
    { editable: ['judge.sh'] },
    'may change train.sh, which must not; may not change judge.sh, which should',
  ],
  ['locked file', { editable: [], locked: ['*.sh'] }, 'may change train.sh, which is locked'],
  ['metric nobody can tell', { metric: null, unclear: ['metric'] }, 'metric val_bpb, which nothing says'],
])('a wrong %s is silently wrong', async (_, change, why) => {
  expect(await repositoryWith({ ...AS_READ, ...change })).toMatchObject({ kind: 'wrong', why });
});

test.each([
  ['what the reader could not tell for sure', { metric: 'val_acc', unclear: ['metric'] }],
  ['that nothing may open what steers git', { editable: ['train.sh', '.github/**'] }],
])('it is not held against a contract %s', async (_, change) => {
  expect(await repositoryWith({ ...AS_READ, ...change })).toMatchObject({ kind: 'understood' });
});

test('another command is listed beside the counts, for the baseline would show it', async () => {
  const folder = await temporaryFolder();
  await createRepository(TREE, join(folder, 'one'));
  await writeFiles(folder, { 'one.expected.json': JSON.stringify({ ...AS_READ, train: 'make' }) });
  const { repositories, otherCommands } = await readFolder(folder);
  expect(repositories).toMatchObject([{ kind: 'understood' }]);
  expect(otherCommands).toEqual(['one: runs sh train.sh, where it is make']);
});

test('a repository and a file that are none are refused with their reason, and need no judgement', async () => {
  const folder = await temporaryFolder();
  await createRepository({ 'README.md': 'A page.\n' }, join(folder, 'page'));
  await writeFiles(folder, { 'tables/prices.csv': 'name,price\napple,2\n' });
  const { repositories, tables } = await readFolder(folder);
  expect(repositories).toMatchObject([{ name: 'page', kind: 'refused', isJudged: false }]);
  expect(tables).toMatchObject([{ name: join('tables', 'prices.csv'), kind: 'refused' }]);
});

test('tables inside of a repository are the repository’s own', async () => {
  const folder = await temporaryFolder();
  await createRepository({ ...TREE, 'results.tsv': TABLE }, join(folder, 'one'));
  const { repositories, tables } = await readFolder(folder);
  expect([repositories.length, tables.length]).toEqual([1, 0]);
});

test('a table is understood that is read as the reader read it', async () => {
  expect(await tableWith(TABLE_AS_READ)).toMatchObject({ kind: 'understood', isJudged: true });
});

test.each([
  ['count', { keep: 3 }, '2 keep, where there are 3'],
  ['best number', { best: 0.9979 }, 'best 0.9932, where it is 0.9979'],
  ['number of rows', { rows: 5 }, '4 rows and 0 skipped, where there are 5'],
  ['direction', { goal: 'maximize' }, 'goal minimize, where it is maximize'],
])('a wrong %s of a table is silently wrong', async (_, change, why) => {
  expect(await tableWith({ ...TABLE_AS_READ, ...change })).toMatchObject({ kind: 'wrong', why });
});

test('what was not judged of a table is not compared', async () => {
  const open = { rows: null, keep: null, discard: null, crash: null, best: null };
  expect(await tableWith({ ...TABLE_AS_READ, ...open })).toMatchObject({ kind: 'understood' });
});

test('a judgement of another form is refused with its name', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'results.tsv': TABLE, 'results.tsv.expected.json': '{"metric": 1}' });
  await expect(readFolder(folder)).rejects.toThrow(/results\.tsv\.expected\.json/);
});

test('what is printed holds no control characters of somebody else’s', async () => {
  const folder = await temporaryFolder();
  const expected = { ...TABLE_AS_READ, metric: 'red \u001b[31m' };
  await writeFiles(folder, { 'results.tsv': TABLE, 'results.tsv.expected.json': JSON.stringify(expected) });
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation(line => lines.push(line));
  onTestFinished(() => log.mockRestore());
  await benchCompatibility(folder);
  expect(lines.at(-1)).toBe('- wrong: results.tsv: metric val_bpb, where it is red [31m');
});

async function repositoryWith(expected: object): Promise<Outcome | undefined> {
  const folder = await temporaryFolder();
  await createRepository(TREE, join(folder, 'one'));
  await writeFiles(folder, { 'one.expected.json': JSON.stringify(expected) });
  return (await readFolder(folder)).repositories[0];
}

async function tableWith(expected: object): Promise<Outcome | undefined> {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'results.tsv': TABLE,
    'results.tsv.expected.json': JSON.stringify(expected),
  });
  return (await readFolder(folder)).tables[0];
}
