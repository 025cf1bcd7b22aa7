import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { autoresearchContract } from '../src/engine/contract/autoresearch.ts';
import { matchEditable } from '../src/engine/contract/editable.ts';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { DEFAULT_AUDIT, DEFAULT_BUDGET, DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import { contractFromFile, contractToFile } from '../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract/contract-schema.ts';
import type { PawlError } from '../src/shared/errors.ts';
import { autoresearchFiles, budget, editable, errorOf, VALID } from './support/contracts.ts';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { proposing, raiseRate } from './support/repositories.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  temporaryFolder,
  writeFiles,
} from './support/scaffold.ts';

// Repositories shaped like autoresearch

/** train.py of a repository that needs no contract: prints its number at once. */

test.each([
  ['TIME_BUDGET = 300\n', 300],
  ['import os\nTIME_BUDGET = 120  # seconds\n', 120],
  ['TIME_BUDGET=1_800\n', 1800],
  ['TIME_BUDGET: int = 600\r\n', 600],
  ['TIME_BUDGET = 7.5\n', 7.5],
  ['TIME_BUDGET = 0\n', 300],
  ['TIME_BUDGET = int(os.environ["T"])\n', 300],
  ['def f():\n    TIME_BUDGET = 5\n', 300],
  ['', 300],
  // Computed: worth the product or the default, but never the first factor.
  ['TIME_BUDGET = 5 * 60\n', 300],
  ['TIME_BUDGET = 3e2\n', 300],
])('the budget of %j is %d seconds', (preparePy, seconds) => {
  expect(autoresearchContract(preparePy, false).budget).toEqual({
    seconds,
    limitSeconds: 2 * seconds + 30,
    ...DEFAULT_BUDGET,
  });
});

test('a repository shaped like autoresearch is run with python3 and its own budget, without a contract file', async () => {
  const repository = await createRepository(autoresearchFiles('TIME_BUDGET = 7\n'));
  const home = await temporaryFolder();
  const { code, events } = await sitting(['run', repository, '--tag', 'night', '-n', '1'], { home });
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_started')[0]).toMatchObject({
    metric: 'val_bpb',
    goal: 'minimize',
    budgetSeconds: 7,
    limitSeconds: 44,
  });
  expect(eventsOf(events, 'verdict')[0]).toMatchObject({ verdict: 'keep', metric: 1.06 });
  expect(eventsOf(events, 'attempted')[1]?.files).toEqual(['train.py']);
});

test('a repository shaped like autoresearch with a pyproject.toml is run with uv', async () => {
  const repository = await createRepository({
    ...autoresearchFiles('TIME_BUDGET = 7\n'),
    'pyproject.toml': '[project]\nname = "x"\n',
  });
  const tools = await temporaryFolder();
  await writeFile(join(tools, 'uv'), '#!/bin/sh\n[ "$1" = run ] && shift && exec python3 "$@"\n');
  await chmod(join(tools, 'uv'), 0o755);
  const home = await temporaryFolder();
  const env = { PATH: `${tools}:${process.env.PATH}` };
  const { code, events } = await sitting(['run', repository, '--tag', 'night', '-n', '0'], { home, env });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict')[0]).toMatchObject({ verdict: 'keep', metric: 1.06 });
  const { stdout } = await pawl(['doctor', repository, '--json'], { home, env });
  expect(JSON.parse(stdout)).toContainEqual({
    name: 'training command',
    outcome: 'ok',
    detail: `uv run train.py (${join(tools, 'uv')})`,
  });
});

test.each(['train.py', 'prepare.py', 'program.md'])(
  'without %s a repository is not taken for autoresearch',
  async missing => {
    const files = autoresearchFiles('TIME_BUDGET = 7\n');
    delete files[missing];
    const repository = await createRepository(files);
    await writeFiles(repository, { 'pawl.toml': contractFile(), [missing]: 'not committed\n' });
    const { code, stderr } = await pawl(['run', repository], { home: await temporaryFolder() });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^pawl: The repository has no committed pawl\.toml, and it is not shaped like autoresearch: /,
    );
    expect(stderr).toContain(`: ${missing} is missing.`);
    expect(stderr).toMatch(/"pawl doctor" shows an example\. Or name them with --editable /);
  },
);

// pawl.toml: what is valid

test('the defaults of a contract are upstream’s', () => {
  expect(parsePawlToml(VALID, 'pawl.toml')).toEqual({
    source: 'pawl.toml',
    editable: ['train.sh'],
    locked: null,
    instructions: null,
    train: 'sh train.sh',
    setup: null,
    environment: [],
    metric: { ...DEFAULT_METRIC, name: 'loss', goal: 'minimize' },
    ...{ checks: [], score: null, audit: DEFAULT_AUDIT, model: null },
    budget: { seconds: 300, limitSeconds: 630, ...DEFAULT_BUDGET },
    stop: {},
    limits: { memoryGb: null, processes: null, freeDiskGb: null },
    sandbox: { mode: 'preferred', network: false, writes: [], reads: [], cacheMb: 512 },
  });
});

test('the limit of a budget that is as long as one may be is no longer than a timer may be', () => {
  const { budget: read } = parsePawlToml(budget('seconds = 1_900_000'), 'pawl.toml');
  expect(read).toEqual({ seconds: 1_900_000, limitSeconds: 2_000_000, ...DEFAULT_BUDGET });
});

test('every key of a contract is read', () => {
  const text = `[contract]
editable = ["src/**", "train.sh"]
locked = ["prepare.py"]
instructions = "program.md"
train = "sh train.sh"
setup = "make"
environment = ["WANDB_MODE"]
[metric]
name = "accuracy"
goal = "maximize"
memory = "peak_vram_mb"
memory_limit = 40_000
pattern = "acc is (.*)"
command = "./report"
command_seconds = 5
wait = "7d"
poll = "30m"
verdict = "greedy"
least_gain = 0.002
bound = -0.5
[metric.require]
correctness = "PASS"
val_pass = true
memory = "< 40000"
[checks]
tests = "make test"
lint = { command = "make lint", seconds = 20 }
[audit]
approve_hints = true
[audit.swap]
"data/val.bin" = "~/held/val-b.bin"
"/srv/val" = "./data/train"
[model]
name = "small"
base_url = "http://localhost:8080"
[budget]
seconds = 2.5
limit_seconds = 60
prune = true
tolerance = 0.2
startup_seconds = 5
cores = 4
[stop]
experiments = 100
hours = 8.5
deadline = "2031-01-01T07:30:00+01:00"
target = -0.5
patience = 20
crashes = 5
[limits]
memory_gb = 24
processes = 64
free_disk_gb = 1.5
[sandbox]
mode = "required"
network = true
reads = ["~/data", "/mnt/corpus"]
writes = ["build"]
cache_mb = 64
`;
  expect(parsePawlToml(text, 'pawl.toml')).toEqual({
    source: 'pawl.toml',
    editable: ['src/**', 'train.sh'],
    locked: ['prepare.py'],
    instructions: 'program.md',
    train: 'sh train.sh',
    setup: 'make',
    environment: ['WANDB_MODE'],
    metric: {
      ...{ name: 'accuracy', goal: 'maximize', memory: 'peak_vram_mb', memoryLimit: 40_000 },
      ...{ pattern: 'acc is (.*)', command: './report', commandSeconds: 5 },
      ...{ waitSeconds: 604_800, pollSeconds: 1_800, verdict: 'greedy', leastGain: 0.002, bound: -0.5 },
      require: [
        { name: 'correctness', how: '=', value: 'PASS' },
        { name: 'val_pass', how: '=', value: 'true' },
        { name: 'memory', how: '<', value: '40000' },
      ],
    },
    checks: [
      { name: 'tests', command: 'make test', seconds: 600 },
      { name: 'lint', command: 'make lint', seconds: 20 },
    ],
    score: null,
    audit: {
      swaps: [
        { path: 'data/val.bin', other: '~/held/val-b.bin' },
        { path: '/srv/val', other: 'data/train' },
      ],
      approvesHints: true,
    },
    model: { name: 'small', baseUrl: 'http://localhost:8080' },
    budget: { seconds: 2.5, limitSeconds: 60, prune: true, tolerance: 0.2, startupSeconds: 5, cores: 4 },
    limits: { memoryGb: 24, processes: 64, freeDiskGb: 1.5 },
    sandbox: {
      ...{ mode: 'required', network: true, writes: ['build'], cacheMb: 64 },
      reads: ['~/data', '/mnt/corpus'],
    },
    stop: {
      experiments: 100,
      hours: 8.5,
      deadline: '2031-01-01T07:30:00+01:00',
      target: -0.5,
      patience: 20,
      crashes: 5,
    },
  });
});

test('a score is read with its defaults, written back as it was, and goes with no other way to a number', () => {
  const text = `${VALID}[score]\ncommand = "python3 score.py"\nartifacts = ["model.bin"]\n`;
  const contract = parsePawlToml(text, 'pawl.toml');
  const score = {
    command: 'python3 score.py',
    artifacts: ['model.bin'],
    ...{ model: null, hasTwin: true },
    reads: [],
    seconds: 600,
  };
  expect(contract.score).toEqual(score);
  expect(contractFromFile(contractFileSchema.parse(contractToFile(contract))).score).toEqual(score);
  const whole = `${text}model = "python3 serve.py"\nreads = ["~/held-out"]\nseconds = 30\n`;
  const own = parsePawlToml(whole, 'pawl.toml').score;
  expect(own).toEqual({ ...score, model: 'python3 serve.py', reads: ['~/held-out'], seconds: 30 });
  expect(contractFromFile(contractFileSchema.parse(contractToFile(parsePawlToml(whole, 'x')))).score).toEqual(
    own,
  );
  for (const line of ['command = "./report"', 'pattern = "x (.*)"', 'wait = "7d"'])
    expect(errorOf(text.replace('name = "loss"', `name = "loss"\n${line}`))).toMatch(
      /^pawl\.toml:\d+: metric\.\w+: cannot be combined with \[score\]/,
    );
  expect(errorOf(text.replace('"model.bin"', '"/etc/passwd"'))).toMatch(/score\.artifacts/);
});

test.each([
  ['dotted keys', 'contract.editable = ["train.sh"]\ncontract.train = "sh train.sh"\nmetric.name = "loss"\n'],
  [
    'quoted keys',
    '["contract"]\n"editable" = ["train.sh"]\n\'train\' = "sh train.sh"\n[ metric ]\n"name" = "loss"\n',
  ],
  [
    'inline tables',
    'contract = { editable = ["train.sh"], train = "sh train.sh" }\nmetric = { name = "loss" }\n',
  ],
  ['CRLF lines', VALID.replaceAll('\n', '\r\n')],
  ['a byte order mark', `\uFEFF${VALID}`],
  ['comments and no final newline', `# a\n${VALID.replaceAll('\n', ' # b\n').trimEnd()}`],
  ['lists over several lines', VALID.replace('["train.sh"]', '[\n  "train.sh", # one\n]')],
])('a contract may be written with %s', (_, text) => {
  expect(parsePawlToml(text, 'pawl.toml')).toEqual(parsePawlToml(VALID, 'pawl.toml'));
});

// What the patterns mean

test.each([
  [['train.sh'], 'train.sh', true],
  [['./train.sh'], 'train.sh', true],
  [['*.sh'], 'train.sh', true],
  [['*.sh'], 'deep/train.sh', false],
  [['**/*.sh'], 'deep/er/train.sh', true],
  [['src/**'], 'src/a/b.py', true],
  [['src/**'], 'source/a.py', false],
  [['**'], '.hidden/file', true],
  [['**'], '.git/config', false],
  [['**'], 'sub/.git/config', false],
  [['**'], 'sub/.GIT/config', false],
  [['**'], 'pawl.toml', false],
  [['pawl.toml'], 'pawl.toml', false],
  [['a[1].sh'], 'a[1].sh', true],
])('of %j the file %s is editable: %s', (patterns, path, expected) => {
  expect(matchEditable(patterns)(path)).toBe(expected);
});

test('an exclamation mark takes files away from what is editable, or is refused, but adds none', () => {
  const text = editable('["*.sh", "!prepare.sh"]');
  try {
    parsePawlToml(text, 'pawl.toml');
  } catch (error) {
    expect((error as PawlError).message).toMatch(/^pawl\.toml:2: contract\.editable\.1: /);
    return;
  }
  const isEditable = matchEditable(parsePawlToml(text, 'pawl.toml').editable);
  expect(['train.sh', 'prepare.sh', 'README.md', 'data/x.bin'].map(isEditable)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test.each(['program.md', './program.md'])('the instructions at %s reach the proposer', async instructions => {
  const repository = await createRepository({
    'train.sh': FAST_TRAINER,
    'program.md': 'Be bold.\n',
    'pawl.toml': contractFile({ more: `instructions = "${instructions}"` }),
  });
  const home = await temporaryFolder();
  const request = join(home, 'request.json');
  const { code } = await sitting(
    ['run', repository, '-n', '1', ...proposing(`cat > "$REQUEST"; ${raiseRate()}`)],
    { home, env: { REQUEST: request } },
  );
  expect(code).toBe(0);
  expect(JSON.parse(await readFile(request, 'utf8'))).toMatchObject({ instructions: 'Be bold.\n' });
});

test("upstream's shape exchanges its validation shard for the first it trains on, and guesses nothing", () => {
  const prepare = `CACHE_DIR = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch")
DATA_DIR = os.path.join(CACHE_DIR, "data")
MAX_SHARD = 6542
VAL_SHARD = MAX_SHARD
VAL_FILENAME = f"shard_{VAL_SHARD:05d}.parquet"
`;
  const swapsOf = (text: string) => autoresearchContract(text, true).audit.swaps;
  const shard = (n: string) => `~/.cache/autoresearch/data/shard_${n}.parquet`;
  expect(swapsOf(prepare)).toEqual([{ path: shard('06542'), other: shard('00000') }]);
  expect(swapsOf(prepare.replace('VAL_SHARD = MAX_SHARD', 'VAL_SHARD = 3'))).toEqual([]);
  expect(swapsOf(prepare.replace('"autoresearch"', '"mine"'))).toEqual([]);
  expect(swapsOf('')).toEqual([]);
});

test.each([
  ['the same path', '"data/a" = "data/a"'],
  ['one in the other', '"data" = "data/val.bin"'],
  ['two that share a file', '"data/a" = "data/b"\n"data/b" = "data/c"'],
  ['a pattern', '"data/*.bin" = "other"'],
  ['a path that leads out', '"../data" = "other"'],
])('data that is exchanged is apart: %s is refused', (_, lines) => {
  expect(() => parsePawlToml(`${VALID}\n[audit.swap]\n${lines}\n`, 'pawl.toml')).toThrow(/audit\.swap/);
});
