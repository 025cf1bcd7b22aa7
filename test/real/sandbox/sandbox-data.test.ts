import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { namedDataFolders } from '../../../src/engine/contract/named-data.ts';
import { isDataVariable } from '../../../src/engine/process/data-variables.ts';
import { findDataCaches, viewDataCaches } from '../../../src/engine/sandbox/data-caches.ts';
import {
  answers,
  can,
  contained,
  ORDINARY,
  runContained,
  runContainedAsUser,
} from '../../support/contained.ts';
import { eventsOf, sitting } from '../../support/pawl.ts';
import { contractFile, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { prepareNight, TAG } from '../../support/study.ts';

const run = promisify(execFile);

contained('a run uses the caches of this machine, and what it does to them comes to nothing', async () => {
  const home = join(await temporaryFolder(), 'home');
  await writeFiles(home, {
    '.cache/huggingface/hub/models--a/blobs/1': 'weights',
    '.cache/huggingface/hub/models--a/refs/main': 'abc',
    '.cache/huggingface/hub/.locks/models--a/1.lock': '',
    '.cache/huggingface/datasets/csv/rows.arrow': 'rows',
    '.cache/huggingface/datasets/csv/x_builder.lock': '',
    '.cache/torch/hub/trusted_list': 'a\n',
    '.cache/autoresearch-ts/splits': 'splits',
    '.medmnist/set.npz': 'set',
    'own/rows': 'own',
  });
  await mkdir(join(home, '.cache/huggingface/hub/models--a/snapshots/abc'), { recursive: true });
  await symlink('../../blobs/1', join(home, '.cache/huggingface/hub/models--a/snapshots/abc/model'));
  const before = await files(home);
  const script = [
    can('snapshot', 'grep weights "$HF_HUB_CACHE/models--a/snapshots/abc/model"'),
    can(
      'rows',
      `grep rows "$HF_DATASETS_CACHE/csv/rows.arrow" && grep rows ${home}/.cache/huggingface/datasets/csv/rows.arrow`,
    ),
    can('torch', 'grep a "$TORCH_HOME/hub/trusted_list"'),
    can('named', `grep splits ${home}/.cache/autoresearch-ts/splits && grep set ${home}/.medmnist/set.npz`),
    can('variable', 'grep own "$MY_DATA_DIR/rows"'),
    can('no_locks', 'test -z "$(find "$HF_HUB_CACHE" "$HF_DATASETS_CACHE" -name "*.lock")"'),
    can(
      'lock',
      'echo x > "$HF_HUB_CACHE/.locks/models--a/1.lock" && echo x > "$HF_DATASETS_CACHE/csv/x_builder.lock"',
    ),
    can('index', 'echo x > "$HF_DATASETS_CACHE/csv/new.arrow" && echo b >> "$TORCH_HOME/hub/trusted_list"'),
    can(
      'replace',
      'rm "$HF_HUB_CACHE/models--a/refs/main" && echo new > "$HF_HUB_CACHE/models--a/refs/main"',
    ),
    can(
      'original',
      'echo x > "$HF_HUB_CACHE/models--a/blobs/1" || echo x > /run/pawl/data/0/models--a/blobs/1',
    ),
    can('offline', '[ "$HF_HUB_OFFLINE$HF_DATASETS_OFFLINE$WANDB_MODE" = 11offline ]'),
    can(
      'trackers',
      '[ "$SWANLAB_MODE $NEPTUNE_MODE $COMET_START_ONLINE$CLEARML_OFFLINE_MODE" = "offline offline 01" ]',
    ),
  ].join('\n');
  for (const inside of [runContained, runContainedAsUser]) {
    const isOrdinary = inside === runContainedAsUser && process.getuid?.() === 0;
    if (isOrdinary) await run('chown', ['-R', '-h', `${ORDINARY}:${ORDINARY}`, join(home, '..')]);
    const { stdout } = await inside(script, { home, environment: { MY_DATA_DIR: join(home, 'own') } });
    expect(answers(stdout)).toEqual({
      ...{ snapshot: 'yes', rows: 'yes', torch: 'yes', named: 'yes', variable: 'yes', no_locks: 'yes' },
      ...{ lock: 'yes', index: 'yes', replace: 'yes', original: 'no', offline: 'yes', trackers: 'yes' },
    });
  }
  expect(await files(home)).toBe(before);
  const online = await runContained(can('offline', '[ "$HF_HUB_OFFLINE$WANDB_MODE" ]'), {
    home,
    sandbox: { network: true },
  });
  expect(answers(online.stdout)).toEqual({ offline: 'no' });
});

contained(
  'what datasets made of data is there only where no edit can change the code that made it',
  async () => {
    const home = join(await temporaryFolder(), 'home');
    const folder = '.cache/huggingface/datasets/json';
    const made = ['cache-0123456789abcdef.arrow', 'cache-0123456789abcdef_00000_of_00002.arrow'];
    const files = ['json-train.arrow', ...made];
    await writeFiles(home, Object.fromEntries(files.map(name => [`${folder}/${name}`, 'rows'])));
    const seen = async (editable: readonly string[], train: string) => {
      const { stdout } = await runContained('ls "$HF_DATASETS_CACHE/json"', { home, editable, train });
      return stdout.trim().split('\n').sort();
    };
    expect(await seen(['train.sh'], 'sh ./train.sh')).toEqual([...files].sort());
    expect(await seen(['train.sh', 'rows.py'], 'sh train.sh')).toEqual(['json-train.arrow']);
    expect(await seen(['rows.py'], 'sh train.sh')).toEqual(['json-train.arrow']);
  },
);

contained('a run computes with the settings that the user gave to its libraries', async () => {
  const home = join(await temporaryFolder(), 'home');
  await writeFiles(home, {
    '.cache/huggingface/accelerate/default_config.yaml': 'mixed_precision: bf16',
    '.cache/huggingface/token': 'secret',
    '.keras/keras.json': '{"backend": "jax"}',
    'own/accelerate/default_config.json': '{"mixed_precision": "fp16"}',
    'own/keras/keras.json': '{"backend": "torch"}',
  });
  const before = await files(home);
  const script = [
    can('accelerate', 'grep bf16 "$HF_HOME/accelerate/default_config.yaml"'),
    can('keras', `grep jax ${home}/.keras/keras.json`),
    can('change', 'echo fp8 > "$HF_HOME/accelerate/default_config.yaml"'),
    can('keep', `echo x > ${home}/.keras/keras.json`),
    can('beside', `mkdir ${home}/.keras/models`),
    can('token', `cat ${home}/.cache/huggingface/token "$HF_HOME/token"`),
  ].join('\n');
  for (const inside of [runContained, runContainedAsUser]) {
    const isOrdinary = inside === runContainedAsUser && process.getuid?.() === 0;
    if (isOrdinary) await run('chown', ['-R', `${ORDINARY}:${ORDINARY}`, join(home, '..')]);
    expect(answers((await inside(script, { home })).stdout)).toEqual({
      ...{ accelerate: 'yes', keras: 'yes', change: 'yes', keep: 'no', beside: 'yes', token: 'no' },
    });
  }
  expect(await files(home)).toBe(before);
  const named = await runContained(
    [
      can('accelerate', 'grep fp16 "$HF_HOME/accelerate/default_config.json"'),
      can('keras', 'grep torch "$KERAS_HOME/keras.json"'),
    ].join('\n'),
    { home, environment: { HF_HOME: join(home, 'own'), KERAS_HOME: join(home, 'own/keras') } },
  );
  expect(answers(named.stdout)).toEqual({ accelerate: 'yes', keras: 'yes' });
});

/** Every file with its content's size and time. */
async function files(folder: string): Promise<string> {
  return (await run('find', [folder, '-printf', '%P %s %T@ %l\\n'])).stdout.split('\n').sort().join('\n');
}

test('a cache with what nobody can read, or no file at all, is seen without that', async () => {
  const home = await temporaryFolder();
  const cache = join(home, '.cache', 'torch');
  await writeFiles(cache, { 'hub/good': 'good', 'hub/empty/.keep': '', 'lost+found/x': 'x' });
  await run('mkfifo', [join(cache, 'hub', 'trusted_list')]);
  await symlink('nowhere', join(cache, 'hub', 'dangling'));
  // A name that is not UTF-8.
  await run('sh', ['-c', `mkdir "$(printf '${cache}/caf\\351')"`]);
  const into = join(await temporaryFolder(), 'view');
  const caches = await findDataCaches({}, home, []);
  expect(caches).toEqual([{ folder: cache, variable: 'TORCH_HOME', isPlain: false }]);
  const { variables } = await viewDataCaches(caches, into, null, true);
  expect(variables).toEqual({ TORCH_HOME: cache });
  expect((await readdir(join(into, '0', 'hub'))).sort()).toEqual(['dangling', 'empty', 'good']);
  // What a run left of it, however deep, is gone before the next.
  await run('sh', [
    '-c',
    `cd ${into}/0 && for i in $(seq 60); do n=$(printf %0200d $i); mkdir $n && cd -P $n; done`,
  ]);
  await mkdir(join(into, '0', 'closed', 'x'), { recursive: true });
  await chmod(join(into, '0', 'closed'), 0);
  await viewDataCaches(caches, into, null, true);
  expect((await readdir(join(into, '0'))).filter(name => !name.startsWith('caf')).sort()).toEqual([
    ...['hub', 'lost+found'],
  ]);
});

test('what a script calls its data is let in only where nobody keeps anything else', () => {
  const home = '/home/somebody';
  const read = (line: string) => namedDataFolders(`${line}\n`, home);
  expect(read('CACHE_DIR = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch-ts")')).toEqual([
    '/home/somebody/.cache/autoresearch-ts',
  ]);
  expect(read('cache_dir: Path = Path.home() / ".cache" / "x"')).toEqual(['/home/somebody/.cache/x']);
  expect(read('DATA_ROOT = os.path.expanduser("~/datasets/small")')).toEqual([
    '/home/somebody/datasets/small',
  ]);
  expect(read('CACHE_DIR = os.environ.get("MY_CACHE", "/mnt/data/cache")')).toEqual(['/mnt/data/cache']);
  for (const refused of [
    '"/tmp/x"',
    '"/run"',
    '"/etc/ssl"',
    '"/proc/1"',
    '"/home/other/data"',
    '"/root/.ssh"',
    '"/data"',
  ]) {
    expect(read(`DATA_DIR = ${refused}`)).toEqual([]);
  }
  // What is no folder of data, and what cannot be told without running it.
  for (const line of [
    'database = "/srv/x/y.db"',
    'data = requests.get(BASE + "/api/v1/items")',
    'root_element = tree.find("/a/b/c")',
    'DATA_DIR = "/content/cache/x" if COLAB else "cache"',
    'DATA_DIR = f"/mnt/{name}"',
  ]) {
    expect(read(line)).toEqual([]);
  }
  const set = { MY_CACHE: '/elsewhere' };
  expect(namedDataFolders('CACHE_DIR = os.environ.get("MY_CACHE", "/mnt/data/cache")', home, set)).toEqual(
    [],
  );
  for (const refused of ['~', '~/.ssh', '~/.config/x', '~/.cache', '~/../x/.cache/y', '~/Documents']) {
    expect(read(`DATA_DIR = os.path.expanduser("${refused}")`)).toEqual([]);
  }
  expect(['AUTORESEARCH_CACHE_DIR', 'MY_DATA_ROOT', 'DATASET_DATA'].map(isDataVariable)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['NODE_COMPILE_CACHE', 'UV_CACHE_DIR', 'XDG_CACHE_HOME', 'PATH'].map(isDataVariable)).toEqual(
    Array(4).fill(false),
  );
});

contained('a socket in a data folder cannot be reached by any of its names', async () => {
  const place = await mkdtemp('/opt/pawl-test-');
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  await chmod(place, 0o755);
  const home = join(await temporaryFolder(), 'home');
  await mkdir(join(home, 'nltk_data'), { recursive: true });
  const sockets = [join(home, 'nltk_data', 's'), join(place, 's')];
  for (const path of sockets) {
    const server = createServer(socket => socket.end()).listen(path);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await chmod(path, 0o777);
  }
  const connect = (path: string) =>
    `python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("${path}")'`;
  const names = [...sockets, '/run/pawl/data/0/s', '/run/pawl/data/1/s'];
  const script = names.map((path, index) => can(`s${index}`, connect(path))).join('\n');
  const { stdout } = await runContained(script, { home, namedData: [place] });
  expect(answers(stdout)).toEqual({ s0: 'no', s1: 'no', s2: 'no', s3: 'no' });
});

contained('a folder that a run may write is not exchanged for one outside', async () => {
  const outside = await mkdtemp('/var/tmp/pawl-test-');
  onTestFinished(() => rm(outside, { recursive: true, force: true }));
  await writeFiles(outside, { 'cache/f': 'x' });
  await chmod(outside, 0o777);
  const night = await prepareNight({
    trainer: `LR=2
if [ -d out/a/b ] && [ ! -L out/a/b ]; then mv out/a/b out/a/old; up=$(pwd | sed 's|[^/]*|..|g'); ln -s "../..$up${outside}" out/a/b; fi
echo pwn > out/a/b/cache/pwn
echo "val_bpb: $LR"
`,
    contract: `${contractFile({ more: 'setup = "mkdir -p out/a/b/cache; touch out/a/b/cache/x out/y"' })}
[sandbox]
mode = "required"
writes = ["out/a", "out/a/b/cache"]
`,
  });
  await sitting(['run', night.repository, '--tag', TAG, '-n', '2', '--trust-setup'], {
    home: night.home,
    env: { PAWL_SANDBOX: undefined },
  });
  expect(await readdir(join(outside, 'cache'))).toEqual(['f']);
  expect((await run('stat', ['-c', '%u', join(outside, 'cache')])).stdout).toBe(`${process.getuid?.()}\n`);
});

test('a training that puts a tree without an end in the place of .git ends no study', async () => {
  const night = await prepareNight({
    trainer: `LR=2
rm -f .git; mkdir -p .git/closed/x; chmod 0 .git/closed
(cd .git; for i in $(seq 60); do n=$(printf %0200d $i); mkdir $n && cd -P $n; done)
echo "val_bpb: $LR"
`,
  });
  const { code, events } = await sitting(['run', night.repository, '--tag', TAG, '-n', '2'], {
    home: night.home,
  });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict')).toHaveLength(3);
});

contained('a cache whose rights a run took away is there for the next', async () => {
  const night = await prepareNight({
    trainer: 'LR=2\necho x > "$XDG_CACHE_HOME/x" || exit 9\nchmod 0 "$XDG_CACHE_HOME"\necho "val_bpb: $LR"\n',
    contract: `${contractFile()}\n[sandbox]\nmode = "required"\n`,
  });
  const { events } = await sitting(['run', night.repository, '--tag', TAG, '-n', '1'], {
    home: night.home,
    env: { PAWL_SANDBOX: undefined },
  });
  expect(eventsOf(events, 'verdict').map(({ verdict }) => verdict)).not.toContain('crash');
});
