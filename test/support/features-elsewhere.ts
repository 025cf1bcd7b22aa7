import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { eventsOf, pawl, sitting } from './pawl.ts';
import { FAST_TRAINER, temporaryFolder, writeFiles } from './scaffold.ts';
import { fillBeside, NO_SMALL_DISK, smallDisk } from './small-disk.ts';
import { checkNight, prepareNight, rowsOf, TAG } from './study.ts';

/** What a contract asks for, where trainings run in the sandbox of another machine: the same over ssh and as jobs of a cluster. */

export type Elsewhere = {
  /** What `--lanes` says. */
  readonly lanes: string;
  /** What it says for two lanes. */
  readonly twoLanes: string;
  readonly env: () => Promise<Readonly<Record<string, string>>>;
  /** Added to `pawl.toml`. */
  readonly contract: () => string;
  /** The home of trainings there. */
  readonly home: () => string;
  /** The same place, with the folders of its runs on this disk. */
  readonly onDisk: (disk: string) => Promise<Elsewhere>;
};

type Parts = {
  readonly trainer?: string;
  readonly editable?: string;
  /** Keys of `[contract]`. */
  readonly keys?: string;
  /** Keys of `[budget]`. */
  readonly budget?: string;
  /** Sections. */
  readonly more?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Files that are not committed. */
  readonly untracked?: Readonly<Record<string, Buffer>>;
  readonly before?: (repository: string) => Promise<void>;
  readonly n?: number;
  readonly lanes?: string;
  /** The command that proposes; it may be asked several times. */
  readonly propose?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** The one proposal of a night. */
const PROPOSE = `sed -i "s/^LR=.*/LR=5/" train.sh; echo '{"hypothesis":"LR=5"}'`;

/** A command that counts its proposals. */
const propose = (folder: string) =>
  `mkdir -p ${folder}/$$; n=$(ls ${folder} | wc -l); sed -i "s/^N=.*/N=$n/" train.sh; echo "{\\"hypothesis\\":\\"N=$n\\"}"`;

async function night(
  place: Elsewhere,
  {
    trainer = FAST_TRAINER,
    editable = 'train.sh',
    keys = '',
    budget = 'seconds = 5',
    more = '',
    n = 0,
    ...rest
  }: Parts,
) {
  const contract = `[contract]
editable = [${JSON.stringify(editable)}]
train = "sh train.sh"
${keys}
[budget]
${budget}
limit_seconds = 60
${more.includes('[metric]') ? '' : '[metric]\nname = "val_bpb"\n'}${more}
${place.contract()}`;
  const prepared = await prepareNight({ trainer, contract, files: rest.files ?? {} });
  const { repository, home } = prepared;
  await writeFiles(repository, rest.untracked ?? {});
  await rest.before?.(repository);
  const env = { ...(await place.env()), PAWL_SANDBOX: 'required', ...rest.env };
  const lanes = ['--lanes', rest.lanes ?? place.lanes, '--command', rest.propose ?? PROPOSE];
  const args = ['run', repository, '--tag', TAG, '-n', String(n), ...lanes];
  const result = await sitting([...args, '--trust-setup'], { home, env });
  const study = eventsOf(result.events, 'study_started')[0]?.study ?? '';
  const log = (experiment: number) =>
    readFile(join(home, 'studies', study, 'runs', String(experiment), 'output.log'), 'utf8').catch(() => '');
  return { ...result, night: prepared, log, rows: () => rowsOf(home), options: { home, env } };
}

/** An environment of Python, and a compiled module that it can import. */
async function pythonEnvironment() {
  const environment = await temporaryFolder();
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', '--without-pip', environment]);
  const { stdout } = await run('python3', ['-c', 'import _json; print(_json.__file__)']);
  return { environment, module: stdout.trim() };
}

export function testFeatures(place: Elsewhere): void {
  test('a training gets its set-up, the variables and data that the contract names, no network, and nothing else', async () => {
    const data = await temporaryFolder();
    await writeFile(join(data, 'tokens.bin'), 'tokens');
    const { code, stderr, log, rows } = await night(place, {
      keys: 'setup = "mkdir -p build && echo built > build/tool"\nenvironment = ["OF_MINE"]',
      trainer: `${FAST_TRAINER}
echo "tool $(cat build/tool)"; echo "mine $OF_MINE"; echo "data $(cat ${data}/tokens.bin)"
echo "network $(grep -c : /proc/net/dev)"; echo "secret $MY_TOKEN"; echo "uv [$UV_PROJECT_ENVIRONMENT]"; echo "home $(ls -A ~ | wc -l)"
touch ${data}/mine 2>/dev/null && echo wrote; echo more > "$XDG_CACHE_HOME/some" && echo cached
`,
      more: `[sandbox]\nreads = [${JSON.stringify(data)}]\n`,
      env: { OF_MINE: 'yes', MY_TOKEN: 'hidden' },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const printed = await log(0);
    for (const line of ['tool built', 'mine yes', 'data tokens', 'network 1', 'secret \n', 'uv []', 'cached'])
      expect(printed).toContain(line);
    expect(printed).not.toContain('wrote');
    expect(rows().experiments[0]).toMatchObject({ verdict: 'keep' });
  });

  test('a training sees the data that prepare.py names, in the home of where it runs', async () => {
    const data = join(place.home(), '.cache/pawl-corpus');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'tokens.bin'), 'tokens');
    const { code, stderr, log } = await night(place, {
      files: { 'prepare.py': 'CACHE_DIR = os.path.join(os.path.expanduser("~"), ".cache", "pawl-corpus")\n' },
      trainer: `${FAST_TRAINER}echo "data $(cat ~/.cache/pawl-corpus/tokens.bin)"; touch ~/.cache/pawl-corpus/mine && echo wrote; true\n`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await log(0)).toContain('data tokens');
    expect(await log(0)).not.toContain('wrote');
  });

  const editable =
    'code that an environment has in editable form is imported from the commit, with what was compiled in the checkout';
  test.each(['required', 'off'])(`${editable} (sandbox: %s)`, async sandbox => {
    const { environment, module } = await pythonEnvironment();
    const { code, stderr, rows } = await night(place, {
      n: 1,
      editable: 'src/rates/__init__.py',
      files: { 'src/rates/__init__.py': 'from rates import _json\nLR = 2\n' },
      untracked: { [`src/rates/${basename(module)}`]: await readFile(module) },
      before: async repository => {
        const [site = ''] = await readdir(join(environment, 'lib'));
        const path = join(environment, 'lib', site, 'site-packages/rates.pth');
        await writeFile(path, `${join(repository, 'src')}\n`);
      },
      trainer: `echo "val_bpb: $("$VIRTUAL_ENV/bin/python" -c 'import rates; print(rates.LR)')"\n`,
      propose: `sed -i "s/^LR = .*/LR = 5/" src/rates/__init__.py; echo '{"hypothesis":"LR=5"}'`,
      env: { VIRTUAL_ENV: environment, PAWL_SANDBOX: sandbox },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(rows().experiments).toMatchObject([{ metric: 2 }, { verdict: 'discard', metric: 5 }]);
  });

  test('a hopeless run is ended before its end, by the curves of the runs before it', async () => {
    // The first ten are much alike; the eleventh is far behind, and waits.
    const { code, rows } = await night(place, {
      n: 11,
      budget: 'seconds = 5\nprune = true',
      propose: propose(await temporaryFolder()),
      trainer: `N=0
curve() { awk -v w=$1 -v last=$2 'BEGIN { for (s = 0; s <= last; s++) printf "step %05d (%.1f%%) | loss: %.6f\\n", s, s, (4 - s / 50) * w }'; }
[ $N -lt 11 ] || { curve 1.5 60; sleep 60; }
curve 1.000$N 100
echo "val_bpb: 1.000$N"
`,
    });
    expect(code).toBe(0);
    expect(rows().experiments.at(-1)).toMatchObject({
      n: 11,
      verdict: 'discard',
      reason: 'pruned',
      metric: null,
    });
    expect(rows().runs.at(-1)?.outcome).toBe('{"kind":"pruned"}');
  });

  test('a run that takes longer than the baseline is ended', async () => {
    const { code, rows } = await night(place, {
      n: 1,
      budget: 'seconds = 2\ntolerance = 0.5\nstartup_seconds = 30',
      trainer: `${FAST_TRAINER.replace('300.1', '2.0')}[ $LR = 2 ] && sleep 2 || sleep 60\n`,
    });
    expect(code).toBe(0);
    expect(rows().experiments.at(-1)).toMatchObject({
      verdict: 'discard',
      reason: 'over_budget',
      metric: null,
    });
    expect(rows().runs.at(-1)?.outcome).toBe('{"kind":"over_budget"}');
  });

  test.skipIf(NO_SMALL_DISK !== null)(
    'a run that leaves less of the disk free than it must is ended',
    async () => {
      const { code, rows } = await night(await place.onDisk(await smallDisk(64)), {
        n: 1,
        trainer: `${FAST_TRAINER}[ $LR = 2 ] || { head -c 40000000 /dev/zero > checkpoint; sleep 60; }\n`,
        more: '[limits]\nfree_disk_gb = 0.03\n',
      });
      expect(code).toBe(0);
      expect(rows().experiments).toMatchObject([
        { verdict: 'keep' },
        { verdict: 'crash', reason: 'disk_full' },
      ]);
      expect(rows().runs.at(-1)?.outcome).toMatch(/The disk was full: less than 30 MiB were free/);
    },
  );

  test.skipIf(NO_SMALL_DISK !== null)(
    'a run beside one that fills the disk is no crash, and is trained once more',
    async () => {
      const lanes = fillBeside(await temporaryFolder());
      const result = await night(await place.onDisk(await smallDisk(64)), {
        ...{ n: 2, lanes: place.twoLanes, propose: propose(await temporaryFolder()) },
        trainer: `N=0\n[ $N = 0 ] || { ${lanes}; }\necho "val_bpb: 1.000$N"\n`,
        // They meet outside of their sandboxes.
        env: { PAWL_SANDBOX: 'off' },
      });
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(eventsOf(result.events, 'run_unfair')).toMatchObject([{ flags: [{ kind: 'lost' }] }]);
      const crashes = result.rows().experiments.filter(({ verdict }) => verdict === 'crash');
      expect(crashes).toMatchObject([{ reason: 'disk_full' }]);
      await checkNight(result.night);
    },
  );

  test('each run begins with empty caches, and has a network if the contract says so', async () => {
    const { code, stderr, log } = await night(place, {
      n: 1,
      trainer: `${FAST_TRAINER}
echo "caches [$(ls "$XDG_CACHE_HOME")]"; echo x > "$XDG_CACHE_HOME/some"
echo "interfaces $(cat /proc/net/dev | grep -c :)"
`,
      more: '[sandbox]\nnetwork = true\ncache_mb = 100\n',
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const interfaces = (await readFile('/proc/net/dev', 'utf8')).match(/:/g)?.length;
    for (const n of [0, 1]) {
      expect(await log(n)).toContain('caches []');
      expect(await log(n)).toContain(`interfaces ${interfaces}`);
    }
  });

  test('the number of a command, the conditions on it and the checks decide as on this machine', async () => {
    const {
      code,
      stderr,
      rows,
      log,
      night: prepared,
    } = await night(place, {
      n: 1,
      trainer: FAST_TRAINER.replace('val_bpb:', 'own:'),
      more: `[metric]
name = "val_bpb"
command = "sed -n 's/^LR=/val_bpb: /p' train.sh; echo memory: 5"
require = { memory = "< 6" }
[checks]
same = "echo a first check"
lr = "echo a second check; grep -q '^LR=2$' train.sh"
never = "echo a third check"
`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(rows().experiments).toMatchObject([
      { verdict: 'keep', metric: 2 },
      { verdict: 'discard', reason: 'guard' },
    ]);
    expect(await log(0)).toMatch(/a first check[\s\S]*a second check[\s\S]*a third check/);
    expect(await log(1)).toMatch(/a first check[\s\S]*a second check/);
    expect(await log(1)).not.toContain('a third check');
    await checkNight(prepared);
  });

  test('what the set-up has made may not be changed, except where the contract says so', async () => {
    const { code, rows } = await night(place, {
      n: 1,
      keys: 'setup = "mkdir build out; echo built > build/tool; echo old > out/cache"',
      trainer: `${FAST_TRAINER}echo new > out/cache; [ $LR = 2 ] || echo mine > build/tool\n`,
      more: '[sandbox]\nwrites = ["out/"]\n',
    });
    expect(code).toBe(0);
    expect(rows().experiments).toMatchObject([
      { verdict: 'keep' },
      { verdict: 'crash', reason: 'locked_file_touched' },
    ]);
  });

  test('a run that takes more than its limits is ended, and says which', async () => {
    const { code, rows } = await night(place, {
      n: 1,
      trainer: `${FAST_TRAINER}[ $LR = 2 ] || { i=0; while [ $i -lt 40 ]; do sleep 30 & i=$((i + 1)); done; wait; }\n`,
      more: '[limits]\nprocesses = 30\n',
    });
    expect(code).toBe(0);
    expect(rows().experiments).toMatchObject([{ verdict: 'keep' }, { verdict: 'crash' }]);
    expect(rows().runs.at(-1)?.outcome).toMatch(/It had \d+ processes; the limit is 30/);
  });

  test('a training that takes more memory than its limit is ended', async () => {
    const { code, rows } = await night(place, {
      n: 1,
      trainer: `${FAST_TRAINER}[ $LR = 2 ] || python3 -c "x = bytearray(600 * 2**20); import time; time.sleep(60)"\n`,
      more: '[limits]\nmemory_gb = 0.3\n',
    });
    expect(code).toBe(0);
    expect(rows().runs.at(-1)?.outcome).toMatch(/Out of memory: it took \d+ MiB; the limit is 307 MiB/);
  });

  test('a training that asks a model is refused before there is a study', async () => {
    const {
      code,
      stderr,
      night: prepared,
      options,
    } = await night(place, {
      more: '[model]\nname = "claude-haiku-4-5"\n',
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain('which jobs of a cluster and runs over ssh cannot reach');
    expect((await pawl(['status', prepared.repository], options)).stdout).not.toContain(TAG);
  });

  test('files in git LFS are refused before there is a study', async () => {
    const files = { '.gitattributes': '*.bin filter=lfs\n' };
    const { code, stderr, night: prepared, options } = await night(place, { files });
    expect(code).not.toBe(0);
    expect(stderr).toContain('git-lfs, which other machines do not fetch');
    expect((await pawl(['status', prepared.repository], options)).stdout).not.toContain(TAG);
  });

  test('what is missing elsewhere is said when the sitting begins', async () => {
    const { code, events } = await night(place, {
      trainer: `SEED=7\n${FAST_TRAINER}`,
      files: { 'a.bin': 'a', 'b.bin': 'b' },
      more: '[audit]\nswap = { "a.bin" = "b.bin" }\n',
      env: { PAWL_VERDICT: 'honest' },
    });
    expect(code).toBe(0);
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toContain(
      'On other machines data is not swapped (audit.swap), and gains are not tried with other seeds: jobs train exactly what was committed.',
    );
  });

  test('tracked files that the baseline writes are outputs, and folders in which it writes nothing take no new file', async () => {
    const files = { 'state.txt': 'old\n', 'lib/a.sh': 'true\n', 'out/b.txt': 'old\n' };
    const trainer = (more: string) => `${FAST_TRAINER}echo new >> state.txt; mkdir -p out/new; ${more}\n`;
    const written = await night(place, { n: 1, files, trainer: trainer('true') });
    expect(written.rows().experiments).toMatchObject([{ verdict: 'keep' }, { verdict: 'keep' }]);
    await checkNight(written.night);
    const shadowing = await night(place, {
      ...{ n: 1, files },
      trainer: trainer('[ $LR = 2 ] || { echo > lib/new.sh; } || exit 7'),
    });
    expect(shadowing.rows().experiments).toMatchObject([{ verdict: 'keep' }, { verdict: 'crash' }]);
    expect(await shadowing.log(1)).toMatch(/lib\/new\.sh: Read-only file system/);
  });

  test('a scorer gets the files of the training, after its checks', async () => {
    const { rows, log } = await night(place, {
      n: 1,
      files: { 'score.sh': `sed -n 's/^LR=/{"val_bpb": /; s/$/}/p' "$PAWL_ARTIFACTS/lr" >&3\n` },
      trainer: `${FAST_TRAINER}grep ^LR= train.sh > lr\n`,
      more: '[score]\ncommand = "sh score.sh"\nartifacts = ["lr"]\n[checks]\nsame = "test -e lr"\n',
    });
    expect(rows().experiments).toMatchObject([
      { verdict: 'keep', metric: 2 },
      { verdict: 'discard', metric: 5 },
    ]);
    expect(await log(0)).toMatch(/\[pawl\] same: test -e lr[\s\S]*\[pawl\] score.command/);
  });

  test('a number that comes later is asked for on this machine', async () => {
    const { rows } = await night(place, {
      n: 1,
      more: `[metric]
name = "val_bpb"
wait = "1h"
command = "sed -n 's/^LR=/val_bpb: /p' train.sh"
`,
    });
    expect(rows().experiments).toMatchObject([
      { verdict: 'keep', metric: 2 },
      { verdict: 'discard', metric: 5 },
    ]);
  });
}
