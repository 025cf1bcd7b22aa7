import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isWrittenByModels, refuseUncontained } from '../../../src/engine/session/start/consent.ts';
import { autoresearchFiles } from '../../support/contracts.ts';
import { eventsOf, pawl, sitting } from '../../support/pawl.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  git,
  temporaryFolder,
} from '../../support/scaffold.ts';
import { openDesk } from '../../support/service.ts';
import { prepareNight, readRows, TAG } from '../../support/study.ts';

/** A PATH with the system's programs but these. */
async function pathWithout(...names: readonly string[]): Promise<string> {
  const bin = join(await temporaryFolder(), 'bin');
  await mkdir(bin);
  const all = (await readdir('/usr/bin')).filter(name => !names.includes(name));
  await Promise.all(all.map(name => symlink(join('/usr/bin', name), join(bin, name))));
  return bin;
}

const MODEL = ['--model', 'test', '--base-url', 'http://127.0.0.1:9', '--keyless'];

test('without a sandbox no code of a model runs before the user agreed, once for the machine', async () => {
  const night = await prepareNight();
  const env = { PATH: await pathWithout('bwrap'), PAWL_SANDBOX: undefined };
  const run = (...args: readonly string[]) =>
    sitting(['run', night.repository, '-n', '0', ...args], { home: night.home, env });
  const refused = await run('--tag', TAG, ...MODEL);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^pawl: Code that a model writes would run here without a sandbox.*apt-get install bubblewrap.*--uncontained/,
  );
  // Nothing was made: no study, no branch, no ref.
  expect(readRows(night.home)).toBeNull();
  expect(await git(night.repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  // Code that the user wrote needs no word.
  const own = await run('--tag', 'own');
  expect(own.code).toBe(0);
  expect(eventsOf(own.events, 'study_started')[0]?.uncontained).toContain('bubblewrap is not installed');
  const agreed = await run('--tag', TAG, '--uncontained', ...MODEL);
  expect(agreed.code).toBe(0);
  expect((await run('--tag', 'again', ...MODEL)).code).toBe(0);
});

test('the window is told by a code of its own, and starts once the user has ticked', async () => {
  const night = await prepareNight();
  const desk = await openDesk({
    home: night.home,
    environment: { PATH: await pathWithout('bwrap'), PAWL_SANDBOX: 'preferred' },
  });
  const model = { kind: 'model', model: 'test', effort: null, baseUrl: 'http://127.0.0.1:9' } as const;
  const start = (more: { agreesUncontained?: boolean }) =>
    desk.calls.studies.start({
      ...{ path: night.repository, tag: TAG, stop: { experiments: 0 } },
      proposer: { ...model, key: 'none', capUsd: { study: null, sitting: null } },
      ...more,
    });
  await expect(start({})).rejects.toMatchObject({ data: { code: 'uncontained' } });
  expect(await start({ agreesUncontained: true })).toMatchObject({ tag: TAG });
  await desk.close();
});

test('who writes the code decides whether the user is asked', () => {
  const search = { kind: 'search', seed: 1 } as const;
  const agent = { kind: 'agent', agent: 'claude', model: null, timeoutSeconds: 60 } as const;
  expect(isWrittenByModels(search)).toBe(false);
  expect(isWrittenByModels({ kind: 'command', command: 'x', timeoutSeconds: 1 })).toBe(false);
  expect(isWrittenByModels(agent)).toBe(true);
  expect(isWrittenByModels({ kind: 'route', mode: 'fallback', arms: [search, agent] })).toBe(true);
  expect(refuseUncontained('preferred', search, 'why', false)).toBeNull();
  expect(refuseUncontained('preferred', agent, 'why', true)).toBeNull();
  expect(refuseUncontained('off', agent, null, false)?.code).toBe('uncontained');
  expect(refuseUncontained('required', search, 'why', true)?.code).toBe('sandbox_missing');
});

test('that its runs are not contained is said in the first lines, for each experiment and for the study', async () => {
  const night = await prepareNight();
  const options = { home: night.home, cwd: night.repository };
  const { stdout } = await pawl(['run', night.repository, '--tag', TAG, '-n', '0'], options);
  expect(stdout.split('\n')[2]).toBe(
    'NOT CONTAINED: the runs can do whatever you can. The sandbox is switched off.',
  );
  const shown = (await pawl(['show', '0'], options)).stdout;
  expect(shown).toMatch(/^#0 of night; its runs are NOT CONTAINED\n/);
  expect(shown).toMatch(/\nrun 0 .*, NOT CONTAINED\n/);
});

test.each([
  [
    'a command that is not there',
    { 'pawl.toml': contractFile({ train: 'nosuchprogram train.sh' }) },
    /"nosuchprogram" was not found/,
  ],
  [
    'a set-up command that is not there',
    { 'pawl.toml': contractFile({ more: 'setup = "nosuchprogram"' }) },
    /"nosuchprogram" was not found/,
  ],
  [
    'files of git-lfs without git-lfs',
    { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n' },
    /git-lfs, which was not found.*apt-get install git-lfs/,
  ],
] as const)('a study with %s is refused before anything is made', async (_, files, why) => {
  const repository = await createRepository({
    ...{ 'train.sh': FAST_TRAINER, 'pawl.toml': contractFile(), 'prepare.sh': '' },
    ...files,
  });
  const home = await temporaryFolder();
  const env = { PATH: await pathWithout('git-lfs') };
  const { code, stdout, stderr } = await pawl(['run', repository, '--tag', TAG, '-n', '0'], { home, env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^pawl: Nothing was started\. /);
  expect(stderr).toMatch(why);
  expect(readRows(home)).toBeNull();
  expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  const doctor = await pawl(['doctor', repository], { home, env });
  expect(doctor.code).toBe(2);
  expect(doctor.stdout).toMatch(why);
});

test('data that prepare.py names is found by doctor and seen by the training', async () => {
  const prepare =
    'import os\nCACHE_DIR = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch-ts")\nTIME_BUDGET = 2\n';
  const train = `import os, prepare
LR = 0.1
open(os.path.join(prepare.CACHE_DIR, "splits.txt")).read()
open(os.path.join(prepare.CACHE_DIR, "index.lock"), "w").write("taken")
print("---"); print("val_bpb: %.4f" % (1 + LR))
`;
  const repository = await createRepository({ ...autoresearchFiles(prepare), 'train.py': train });
  const home = await temporaryFolder();
  const user = await temporaryFolder();
  const env = { HOME: user, PAWL_SANDBOX: undefined };
  const data = join(user, '.cache', 'autoresearch-ts');
  const missing = await pawl(['doctor', repository], { home, env });
  expect(missing.stdout).toMatch(
    /✗ failed +data cache +.*autoresearch-ts is missing: run "python3 prepare.py"/,
  );
  expect((await pawl(['run', repository, '-n', '0'], { home, env })).stderr).toContain('is missing');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'splits.txt'), 'splits');
  const there = await pawl(['doctor', repository], { home, env });
  expect(there.stdout).toContain(data);
  const { code, events } = await sitting(['run', repository, '-n', '0'], { home, env });
  expect({ code, verdict: eventsOf(events, 'verdict')[0]?.reason }).toEqual({ code: 0, verdict: 'baseline' });
  // What it wrote there is gone with it.
  expect(await readdir(data)).toEqual(['splits.txt']);
});
