import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { beginRemoval } from '../src/engine/session/remove-study.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import { pawl, sitting } from './support/pawl.ts';
import { createRepository, git, temporaryFolder } from './support/scaffold.ts';
import { openDesk, refusalOf } from './support/service.ts';
import { trainingDesk } from './support/training-desk.ts';

const CONTRACT =
  '[contract]\neditable = ["train.sh"]\ntrain = "sh train.sh"\n[metric]\nname = "val_bpb"\n[budget]\nseconds = 5\n';
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
sed -i "s/^LR=.*/LR=$n/" train.sh; echo "{\\"hypothesis\\":\\"Set LR to $n\\"}"`;

/** Two studies of three experiments in one repository. */
async function twoStudies() {
  const home = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': 'LR=0\necho "val_bpb: 1.$LR"\n',
    'pawl.toml': CONTRACT,
  });
  for (const tag of ['one', 'two'])
    await sitting(['run', repository, '--tag', tag, '--command', PROPOSER, '-n', '2'], { home });
  return { home, repository };
}

/** How many rows of each table belong to no study that is there. */
function orphans(home: string): Readonly<Record<string, number>> {
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
  const count = (sql: string) => database.prepare<[], { count: number }>(sql).get()?.count ?? -1;
  try {
    const tables = database
      .prepare<[], { name: string }>(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'study_id' WHERE m.type = 'table'",
      )
      .all();
    return Object.fromEntries([
      ...tables.map(({ name }) => [
        name,
        count(`SELECT count(*) AS count FROM "${name}" WHERE study_id NOT IN (SELECT id FROM study)`),
      ]),
      [
        'run',
        count('SELECT count(*) AS count FROM run WHERE experiment_id NOT IN (SELECT id FROM experiment)'),
      ],
      [
        'words',
        count('SELECT count(*) AS count FROM experiment_word WHERE rowid NOT IN (SELECT id FROM experiment)'),
      ],
    ]);
  } finally {
    database.close();
  }
}

const refsOf = async (repository: string) =>
  (await git(repository, 'for-each-ref', '--format=%(refname)')).trim().split('\n').filter(Boolean);

test('a deleted study takes its rows, logs, worktree and refs with it, and nothing of another', async () => {
  const { home, repository } = await twoStudies();
  const desk = await openDesk({ home });
  const { calls, service } = desk;
  const [two, one] = service.ledger.studies.list();
  if (!one || !two) throw new Error('two studies');
  const head = await git(repository, 'rev-parse', 'HEAD');
  expect(await calls.studies.loss({ study: one.id })).toMatchObject({ experiments: 3, refs: 4 });
  expect((await calls.studies.loss({ study: one.id })).bytes).toBeGreaterThan(4_000);
  expect((await calls.studies.diskUse()).map(({ study }) => study)).toEqual([two.id, one.id]);
  expect(await calls.studies.outlines()).toMatchObject([
    { study: two.id, last: 2, best: [[0, 1]] },
    { study: one.id, last: 2, best: [[0, 1]] },
  ]);
  await calls.studies.remove({ study: one.id, keepsRefs: false });
  expect(desk.events.at(-1)).toEqual({ type: 'study_removed', study: one.id });
  expect(service.ledger.studies.list().map(({ tag }) => tag)).toEqual(['two']);
  expect(service.ledger.cells.before(two.id, 1_000, 10)).toHaveLength(3);
  expect(Object.values(orphans(home)).filter(count => count !== 0)).toEqual([]);
  expect(existsSync(join(home, 'studies', one.id))).toBe(false);
  expect(existsSync(join(home, 'worktrees', one.worktreeName))).toBe(false);
  expect(existsSync(join(home, 'studies', two.id))).toBe(true);
  expect((await refsOf(repository)).filter(ref => ref.includes('/one'))).toEqual([]);
  expect((await refsOf(repository)).filter(ref => ref.includes('/two'))).toHaveLength(4);
  expect(await git(repository, 'rev-parse', 'HEAD')).toBe(head);
  expect(await git(repository, 'status', '--porcelain')).toBe('');
  // The name is free again.
  await calls.studies.remove({ study: two.id, keepsRefs: true });
  expect((await refsOf(repository)).filter(ref => ref.includes('/two'))).toHaveLength(4);
  expect(service.ledger.studies.list()).toEqual([]);
});

test('a study that runs is not deleted', async () => {
  const { desk, study: id } = await trainingDesk();
  expect(await refusalOf(desk.calls.studies.remove({ study: id, keepsRefs: true }))).toEqual({
    code: 'usage',
    message: 'night is running: stop it first.',
  });
});

test('what a killed engine began to delete the next one deletes, also where the repository is gone', async () => {
  const { home } = await twoStudies();
  const ledger = openLedger(join(home, 'pawl.sqlite'));
  const [two, one] = ledger.studies.list();
  if (!one || !two) throw new Error('two studies');
  ledger.write(() => {
    beginRemoval(ledger, one, false);
    beginRemoval(ledger, { ...two, repositoryPath: '/nowhere' }, false);
    ledger.studies.removeExperiments(one.id, 1);
  });
  ledger.close();
  const { service } = await openDesk({ home });
  expect(service.ledger.studies.list()).toEqual([]);
  expect(Object.values(orphans(home)).filter(count => count !== 0)).toEqual([]);
  expect(service.ledger.settings.get('removals')).toEqual([]);
  expect(existsSync(join(home, 'studies', two.id))).toBe(false);
  expect(existsSync(join(home, 'worktrees', two.worktreeName))).toBe(false);
});

test('a branch that the user has checked out stays, and so does the study, until they switch', async () => {
  const { home, repository } = await twoStudies();
  const { calls, service } = await openDesk({ home });
  const study = service.ledger.studies.list()[0]?.id ?? '';
  await git(repository, 'checkout', '--quiet', 'autoresearch/two');
  const head = await git(repository, 'rev-parse', 'HEAD');
  const { code, message } = await refusalOf(calls.studies.remove({ study, keepsRefs: false }));
  expect(code).toBe('usage');
  expect(message).toMatch(
    /has autoresearch\/two checked out, .* Switch to another branch first, or keep the branch\.$/,
  );
  expect(service.ledger.studies.list()).toHaveLength(2);
  expect(await git(repository, 'rev-parse', 'HEAD')).toBe(head);
  await calls.studies.remove({ study, keepsRefs: true });
  expect(service.ledger.studies.list()).toHaveLength(1);
  expect(await git(repository, 'rev-parse', 'HEAD')).toBe(head);
});

test('a repository that is another one by now keeps its refs, and one that cannot be read is tried again', async () => {
  const { home, repository } = await twoStudies();
  const { calls, service } = await openDesk({ home });
  const [two, one] = service.ledger.studies.list();
  if (!one || !two) throw new Error('two studies');
  await rename(repository, `${repository}-moved`);
  await createRepository({ a: 'b\n' }, repository);
  await git(repository, 'branch', 'autoresearch/one');
  await calls.studies.remove({ study: one.id, keepsRefs: false });
  expect(await refsOf(repository)).toContain('refs/heads/autoresearch/one');
  await rm(join(repository, '.git', 'HEAD'));
  const refused = await refusalOf(calls.studies.remove({ study: two.id, keepsRefs: true }));
  expect(refused.message).toContain('What was left of the study two could not be removed');
  expect(service.ledger.settings.get('removals')).toMatchObject([{ tag: 'two' }]);
});

test('a job that cannot be ended keeps nothing of its deleted study: another of the same tag keeps its refs', async () => {
  const { home, repository } = await twoStudies();
  const { calls, service, close } = await openDesk({ home });
  const one = service.ledger.studies.list().find(({ tag }) => tag === 'one')?.id ?? '';
  const marker = `${one}/1.0`;
  const gitDir = join(repository, '.git');
  // No name of a host, so that it cannot even be asked.
  const place = { kind: 'ssh', host: '-nowhere' } as const;
  service.ledger.write(() => service.ledger.jobs.begin({ marker, studyId: one, n: 1, k: 0, place, gitDir }));
  const { message } = await refusalOf(calls.studies.remove({ study: one, keepsRefs: false }));
  expect(message).toContain('-nowhere');
  await close();
  await sitting(['run', repository, '--tag', 'one', '--command', PROPOSER, '-n', '2'], { home });
  const again = await openDesk({ home });
  expect((await refsOf(repository)).filter(ref => ref.includes('/one'))).toHaveLength(4);
  expect(again.service.ledger.settings.get('removals')).toEqual([]);
  expect(again.service.ledger.jobs.list(one)).toHaveLength(1);
});

test('a study is renamed and put away; its branch and the terminal keep its tag', async () => {
  const { home, repository } = await twoStudies();
  const { calls, service, close } = await openDesk({ home });
  const study = service.ledger.studies.list()[0]?.id ?? '';
  await calls.studies.rename({ study, title: '  The long night ' });
  await calls.studies.archive({ study, isArchived: true });
  expect(service.card(study)).toMatchObject({
    ...{ tag: 'two', title: 'The long night', archivedAt: expect.any(Number), branch: 'autoresearch/two' },
  });
  await refusalOf(calls.studies.rename({ study, title: ' ' }));
  await calls.studies.rename({ study, title: null });
  await calls.studies.archive({ study, isArchived: false });
  expect(service.card(study)).toMatchObject({ title: null, archivedAt: null });
  await close();
  expect((await pawl(['status', repository, '--tag', 'two'], { home })).stdout).toContain('Study two');
});
