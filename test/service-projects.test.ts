import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanPath } from '../src/engine/api/projects.ts';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { contractFromFile } from '../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract/contract-schema.ts';
import {
  createRepository,
  FAST_TRAINER,
  fastRepository,
  git,
  snapshotUserState,
  temporaryFolder,
} from './support/scaffold.ts';
import { eventsOfType, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { checkNight, TAG } from './support/study.ts';

const FORM = {
  contract: { editable: ['train.sh'], locked: ['prepare.sh'], train: 'sh train.sh' },
  metric: { name: 'val_bpb', memory: 'peak_vram_mb' },
  budget: { seconds: 5, limit_seconds: 20 },
};

test('a path may be given as people paste it', () => {
  const home = homedir();
  for (const [given, path] of [
    ['/a/b', '/a/b'],
    ['  /a/b/\n', '/a/b'],
    ['"/a/b c"', '/a/b c'],
    ["'/a/b'", '/a/b'],
    ['~', home],
    ['~/x', join(home, 'x')],
    ['~x', join(home, '~x')],
    ['x/y', join(home, 'x/y')],
    ['/a/../b', '/b'],
    ['file:///a/b%20c', '/a/b c'],
    ['"file:///a/%E2%82%AC"', '/a/€'],
    ["/a/it's", "/a/it's"],
  ]) {
    expect(cleanPath(given ?? '')).toBe(path);
  }
});

test('a path that cannot be one is refused, not a bug', async () => {
  const { calls } = await openDesk();
  for (const path of ['file:///a/%zz', 'file://[', '/a\0b', `/${'x'.repeat(4_000)}`, '\ud800']) {
    for (const call of [
      () => calls.projects.inspect({ path }),
      () => calls.projects.browse({ path, hidden: false }),
      () => calls.studies.start({ path, proposer: { kind: 'search', seed: 1 }, stop: {} }),
      () => calls.projects.saveContract({ path, contract: FORM }),
    ]) {
      expect((await refusalOf(call())).code).toMatch(/^(usage|not_a_repository)$/);
    }
    const checks = await calls.projects.check({ path }).catch(error => error.data.code);
    if (Array.isArray(checks)) expect(checks.some(({ outcome }) => outcome === 'failed')).toBe(true);
    else expect(checks).toBe('usage');
  }
});

test('a repository that is looked at is on the list of projects, from any path into it', async () => {
  const desk = await openDesk();
  const { calls } = desk;
  const path = await fastRepository();
  await mkdir(join(path, 'deep/er'), { recursive: true });
  const link = join(await temporaryFolder(), 'link');
  await symlink(path, link);
  for (const given of [
    path,
    `${path}/`,
    join(path, 'train.sh'),
    join(path, 'deep/er'),
    link,
    pathToFileURL(path).href,
  ]) {
    expect(await calls.projects.inspect({ path: given })).toMatchObject({
      ...{ path, name: 'repo', gitDir: join(path, '.git'), branch: 'main', problem: null },
      ...{ head: await git(path, 'rev-parse', 'HEAD'), tag: expect.stringMatching(/^[a-z]{3}\d+$/) },
      files: ['README.md', 'pawl.toml', 'prepare.sh', 'train.sh'],
      contract: { source: 'pawl.toml', editable: ['train.sh'], metric: { name: 'val_bpb' } },
    });
  }
  const { projects } = await calls.app.snapshot();
  expect(projects).toEqual([
    { gitDir: join(path, '.git'), path, name: 'repo', openedAt: expect.any(Number), exists: true },
  ]);
  expect(eventsOfType(desk.events, 'projects').at(-1)?.projects).toEqual(projects);
  await rename(path, `${path}-gone`);
  expect((await calls.app.snapshot()).projects).toMatchObject([{ path, exists: false }]);
  await calls.projects.forget({ gitDir: join(path, '.git') });
  await calls.projects.forget({ gitDir: 'never there' });
  expect(eventsOfType(desk.events, 'projects').at(-1)?.projects).toEqual([]);
});

test('what is no project yet says what is missing', async () => {
  const { calls } = await openDesk();
  const folder = await temporaryFolder();
  const inspect = (path: string) => calls.projects.inspect({ path });
  expect(await refusalOf(inspect(folder))).toMatchObject({ code: 'not_a_repository' });
  expect(await refusalOf(inspect(join(folder, 'no/where')))).toMatchObject({ code: 'not_a_repository' });
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await git(empty, 'init', '--quiet', '--initial-branch=main');
  expect(await inspect(empty)).toMatchObject({
    ...{
      head: null,
      branch: 'main',
      contract: null,
      files: [],
      problem: expect.stringContaining('no commit'),
    },
  });
  const bare = await createRepository({ 'a.txt': 'a' });
  expect(await inspect(bare)).toMatchObject({
    contract: null,
    // Nothing about the terminal's options.
    problem: expect.stringMatching(/^[^-]* Write a pawl\.toml that [^-]*, and commit it\.$/),
    files: ['a.txt'],
  });
  const wrong = await createRepository({ 'pawl.toml': '[contract]\nedit = 1\n' });
  expect((await inspect(wrong)).problem).toContain('edit');
  const start = (path: string) =>
    calls.studies.start({ path, proposer: { kind: 'search', seed: 1 }, stop: {} });
  expect((await refusalOf(start(bare))).code).toBe('contract_not_found');
  expect((await refusalOf(start(wrong))).code).toBe('contract_invalid');
  await git(bare, 'branch', 'autoresearch');
  expect((await inspect(bare)).tag).toBe('');
});

test('folders are listed with what is a repository, links followed, hidden ones on request', async () => {
  const { calls } = await openDesk();
  const folder = await temporaryFolder();
  await createRepository({ 'a.txt': 'a' }, join(folder, 'repo'));
  await mkdir(join(folder, '.hidden'));
  await mkdir(join(folder, 'Plain'));
  await writeFile(join(folder, 'file.txt'), '');
  await symlink(join(folder, 'repo'), join(folder, 'to-repo'));
  await symlink(join(folder, 'nowhere'), join(folder, 'broken'));
  await symlink(join(folder, 'file.txt'), join(folder, 'to-file'));
  const names = async (hidden: boolean) => {
    const { entries, path, parent } = await calls.projects.browse({ path: folder, hidden });
    expect([path, parent]).toEqual([folder, join(folder, '..')]);
    return entries.map(({ name, isRepository }) => `${name}${isRepository ? '*' : ''}`);
  };
  expect(await names(false)).toEqual(['Plain', 'repo*', 'to-repo*']);
  expect(await names(true)).toEqual(['.hidden', 'Plain', 'repo*', 'to-repo*']);
  expect((await calls.projects.browse({ hidden: false })).path).toBe(homedir());
  expect((await calls.projects.browse({ path: '/', hidden: false })).parent).toBeNull();
  for (const path of [join(folder, 'file.txt'), join(folder, 'nowhere')]) {
    expect(await refusalOf(calls.projects.browse({ path, hidden: false }))).toMatchObject({ code: 'usage' });
  }
  await mkdir(join(folder, 'locked'));
  await chmod(join(folder, 'locked'), 0);
  // Root may read it all the same; nobody gets an unexpected error.
  const locked = await calls.projects
    .browse({ path: join(folder, 'locked'), hidden: false })
    .catch(error => error);
  expect(locked.data?.code ?? 'usage').toBe('usage');
  expect(await refusalOf(calls.projects.choose())).toMatchObject({ code: 'usage' });
});

test('a study runs under the contract of the form without one being committed', async () => {
  const path = await createRepository({ 'train.sh': FAST_TRAINER, 'prepare.sh': 'echo fixed\n' });
  const userState = await snapshotUserState(path);
  const desk = await openDesk();
  const { calls } = desk;
  expect((await calls.projects.inspect({ path })).contract).toBeNull();
  const checks = await calls.projects.check({ path, contract: FORM, tag: TAG });
  expect(checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  const { id, contract } = await calls.studies.start({
    ...{ path, tag: TAG, contract: FORM, proposer: { kind: 'search', seed: 1 }, stop: { experiments: 2 } },
  });
  expect(contract).toMatchObject({ source: 'form', locked: ['prepare.sh'], budget: { limitSeconds: 20 } });
  expect(await untilStopped(desk, id)).toMatchObject({ stopReason: 'experiments', tally: { finished: 3 } });
  await desk.close();
  await checkNight({ home: desk.home, repository: path, userState });
});

test('a form that does not fit the repository is refused before anything is made', async () => {
  const path = await fastRepository();
  const refs = await git(path, 'for-each-ref');
  const { calls, service } = await openDesk();
  const start = (contract: object) =>
    calls.studies.start({
      ...{ path, tag: TAG, contract: contract as typeof FORM },
      ...{ proposer: { kind: 'search', seed: 1 }, stop: {} },
    });
  for (const editable of [['nothing.py'], ['../x'], ['/etc/passwd'], []]) {
    const refused = await refusalOf(start({ ...FORM, contract: { ...FORM.contract, editable } }));
    expect(refused.code ?? refused.message).toMatch(/contract_invalid|validation/);
  }
  expect(service.ledger.studies.list()).toEqual([]);
  expect(await git(path, 'for-each-ref')).toBe(refs);
});

test('a saved contract is at the top of the checkout and never replaces one', async () => {
  const path = await createRepository({ 'train.sh': FAST_TRAINER, 'prepare.sh': '', 'sub/x': '' });
  const { calls } = await openDesk();
  const { file } = await calls.projects.saveContract({ path: join(path, 'sub'), contract: FORM });
  expect(file).toBe(join(path, 'pawl.toml'));
  expect(parsePawlToml(await readFile(file, 'utf8'), 'pawl.toml')).toEqual(
    contractFromFile(contractFileSchema.parse(FORM)),
  );
  expect(await git(path, 'status', '--porcelain')).toBe('?? pawl.toml');
  const again = refusalOf(calls.projects.saveContract({ path, contract: FORM }));
  expect(await again).toEqual({ code: 'usage', message: expect.stringContaining('already exists') });
  // Nor does it write through a link.
  const linked = await createRepository({ 'train.sh': FAST_TRAINER, 'prepare.sh': '' });
  const outside = join(await temporaryFolder(), 'outside');
  await symlink(outside, join(linked, 'pawl.toml'));
  expect((await refusalOf(calls.projects.saveContract({ path: linked, contract: FORM }))).code).toBe('usage');
  await expect(readFile(outside)).rejects.toThrow('ENOENT');
});

test('every contract a form can hold comes back from its file as it was', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map(value => value.trim() || 'x');
  const pattern = text.map(value => value.replaceAll('/', '_').replace(/^[!.]+/, '') || 'x');
  const name = fc.stringMatching(/^[A-Za-z_][\w.\-/%]{0,20}$/);
  const number = fc.oneof(
    fc.integer({ min: 1, max: 2_000_000 }),
    fc.double({ min: 1e-3, max: 2e6, noNaN: true }),
  );
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const defined = (value: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
  const form = fc.record({
    contract: fc
      .record({
        ...{ editable: fc.array(pattern, { minLength: 1, maxLength: 4 }), train: text },
        ...{ locked: optional(fc.array(pattern, { maxLength: 3 })), setup: optional(text) },
        instructions: optional(pattern),
        environment: optional(fc.array(fc.stringMatching(/^[A-Z_]{1,9}$/), { maxLength: 3 })),
      })
      .map(defined),
    metric: fc
      .record({
        ...{ name, goal: fc.constantFrom('minimize', 'maximize'), memory: optional(name) },
        memory_limit: optional(number),
      })
      .map(defined),
    budget: fc
      .record({
        ...{ seconds: fc.integer({ min: 1, max: 900_000 }), limit_seconds: optional(number) },
        prune: optional(fc.boolean()),
      })
      .map(defined),
    stop: fc
      .record({
        ...{
          experiments: optional(fc.nat()),
          hours: optional(number),
          patience: optional(fc.integer({ min: 1 })),
        },
        target: optional(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
        deadline: optional(fc.constant('2026-03-05T07:30:00+01:00')),
      })
      .map(defined),
    sandbox: fc
      .record({
        mode: optional(fc.constantFrom('required', 'preferred', 'off')),
        network: optional(fc.boolean()),
        writes: optional(fc.array(pattern, { maxLength: 3 })),
        reads: optional(fc.array(fc.stringMatching(/^(?:~\/|\/)[a-z ]{1,9}$/), { maxLength: 3 })),
      })
      .map(defined),
  });
  const { calls } = await openDesk();
  const path = await createRepository({ 'a.txt': 'a' });
  await fc.assert(
    fc.asyncProperty(form, async input => {
      const contract = contractFileSchema.parse(input);
      const { file } = await calls.projects.saveContract({ path, contract });
      const written = await readFile(file, 'utf8');
      await rm(file);
      expect(parsePawlToml(written, 'pawl.toml')).toEqual(contractFromFile(contract));
    }),
    { numRuns: 60 },
  );
  const plain = {
    contract: { editable: ['x'], train: 'x' },
    metric: { name: 'a', goal: 'minimize' },
    stop: { target: -0 },
  };
  expect(contractFileSchema.parse(plain).stop.target).toBe(0);
});

test('the sample project is made once and is the same ever after', async () => {
  const { calls, home } = await openDesk();
  const { path } = await calls.projects.createSample({ name: 'byte-lm' });
  expect(path.startsWith(home)).toBe(true);
  const head = await git(path, 'rev-parse', 'HEAD');
  expect(await calls.projects.createSample({ name: 'byte-lm' })).toEqual({ path });
  expect(await git(path, 'rev-parse', 'HEAD')).toBe(head);
  expect((await calls.projects.inspect({ path })).problem).toBeNull();
});
