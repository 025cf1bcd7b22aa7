import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { autoresearchContract } from '../src/engine/contract/autoresearch.ts';
import { matchEditable } from '../src/engine/contract/editable.ts';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { DEFAULT_AUDIT, DEFAULT_BUDGET, DEFAULT_METRIC } from '../src/shared/contract-defaults.ts';
import { contractFromFile, contractToFile } from '../src/shared/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract-schema.ts';
import { PawlError } from '../src/shared/errors.ts';
import { autoresearchFiles, VALID } from './support/contracts.ts';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { proposing, raiseRate } from './support/repositories.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  git,
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

// pawl.toml: what is not

function errorOf(text: string): string {
  try {
    parsePawlToml(text, 'pawl.toml');
  } catch (error) {
    expect(error).toBeInstanceOf(PawlError);
    expect(error).toMatchObject({ code: 'contract_invalid' });
    const { message } = error as PawlError;
    expect(message).not.toMatch(/[\n\r\x1b]/);
    expect(message.length).toBeLessThan(500);
    return message;
  }
  throw new Error('the contract was accepted');
}

const budget = (line: string) => `${VALID}[budget]\n${line}\n`;
const stop = (line: string) => `${VALID}[stop]\n${line}\n`;
const editable = (list: string) => VALID.replace('["train.sh"]', list);

test.each([
  // Not TOML.
  ['a list without its end', editable('["train.sh"'), /^pawl\.toml:[23]: not valid TOML: /],
  ['a word without quotes', editable('train.sh'), /^pawl\.toml:2: not valid TOML: /],
  ['prose', 'Change train.sh and run it.\n', /^pawl\.toml:1: not valid TOML: /],
  ['a key twice', `${VALID}name = "again"\n`, /^pawl\.toml:6: not valid TOML: /],
  ['a table twice', `${VALID}[contract]\n`, /^pawl\.toml:6: not valid TOML: /],
  ['a table that is a key already', `contract.train = "x"\n${VALID}`, /^pawl\.toml:2: not valid TOML: /],
  ['a NUL', `${VALID}\0`, /^pawl\.toml:6: not valid TOML: /],
  // Unknown.
  ['an unknown key', budget('second = 3'), /^pawl\.toml:7: budget\.second: unknown key; .*"seconds"/],
  [
    'an unknown key next to known ones',
    VALID.replace('train =', 'trains = "x"\ntrain ='),
    /^pawl\.toml:3: contract\.trains: unknown key; .*"train"/,
  ],
  [
    'a misspelt required key',
    VALID.replace('editable', 'editible'),
    /^pawl\.toml:2: contract\.editible: unknown key; .*"editable"/,
  ],
  [
    'a misspelt required table',
    VALID.replace('[metric]', '[metrics]'),
    /^pawl\.toml:4: metrics: unknown key; .*"metric"/,
  ],
  ['an unknown table', `${VALID}[budgets]\nseconds = 3\n`, /^pawl\.toml:6: budgets: unknown key; .*"budget"/],
  ['an unknown key at the top', `time = 3\n${VALID}`, /^pawl\.toml:1: time: unknown key/],
  ['a key in capitals', budget('Seconds = 3'), /^pawl\.toml:7: budget\.Seconds: unknown key; .*"seconds"/],
  ['a known key in the wrong table', stop('seconds = 3'), /^pawl\.toml:7: stop\.seconds: unknown key/],
  ['a quoted unknown key', budget('"second" = 3'), /^pawl\.toml:7: budget\.second: unknown key/],
  ['a quoted key with a dot', budget('"a.b" = 3'), /^pawl\.toml:7: budget\.a\.b: unknown key/],
  ['a quoted key with a line break', budget('"a\\nb" = 3'), /^pawl\.toml:7: budget\.a.*b: unknown key/],
  ['__proto__ as a key', budget('__proto__ = 3'), /^pawl\.toml:7: budget\.__proto__: unknown key/],
  ['__proto__ as a table', `${VALID}[__proto__]\nx = 1\n`, /^pawl\.toml:6: __proto__: unknown key/],
  ['a very long unknown key', budget(`${'x'.repeat(100_000)} = 3`), /^pawl\.toml:7: budget\.x+.*unknown key/],
  // Missing.
  ['no editable', VALID.replace(/editable.*\n/, ''), /^pawl\.toml:1: contract\.editable: is required$/],
  ['no train', VALID.replace(/train = .*\n/, ''), /^pawl\.toml:1: contract\.train: is required$/],
  [
    'no name of a metric',
    VALID.replace(/name.*\n/, ''),
    /^pawl\.toml:3: metric\.name: is required$|^pawl\.toml:4: metric\.name: is required$/,
  ],
  ['no metric', VALID.slice(0, VALID.indexOf('[metric]')), /^pawl\.toml:1: metric: is required$/],
  ['nothing', '', /^pawl\.toml:1: contract: is required$/],
  // Of a wrong kind.
  ['a word for a list', editable('"train.sh"'), /^pawl\.toml:2: contract\.editable: .*array.*string/],
  [
    'a number in a list',
    editable('["train.sh", 3]'),
    /^pawl\.toml:2: contract\.editable\.1: .*string.*number/,
  ],
  [
    'a list for a command',
    VALID.replace('"sh train.sh"', '["sh", "train.sh"]'),
    /^pawl\.toml:3: contract\.train: .*string.*array/,
  ],
  ['an empty command', VALID.replace('"sh train.sh"', '"  "'), /^pawl\.toml:3: contract\.train: /],
  ['a number in quotes', budget('seconds = "300"'), /^pawl\.toml:7: budget\.seconds: .*number.*string/],
  ['a word for a table', `budget = 300\n${VALID}`, /^pawl\.toml:1: budget: .*object.*number/],
  ['an array of tables', `${VALID}[[stop]]\nexperiments = 3\n`, /^pawl\.toml:6: stop: .*object.*array/],
  [
    'a pattern without a group',
    `${VALID}pattern = "loss"\n`,
    /^pawl\.toml:6: metric\.pattern must have one group/,
  ],
  [
    'a name whose direction is not told',
    VALID.replace('loss', 'foo'),
    /^pawl\.toml:4: metric\.goal: is required: the name does not say/,
  ],
  [
    'a wait that is no time',
    `${VALID}wait = "soon"\n`,
    /^pawl\.toml:6: metric\.wait: must be a time like "7d"/,
  ],
  [
    'a condition that compares with no number',
    `${VALID}require = { memory = "< much" }\n`,
    /^pawl\.toml:6: metric\.require\.memory: must be a value, or a comparison/,
  ],
  ...['=> 3', '=< 3', '≥ 3'].map((text): [string, string, RegExp] => [
    `the condition ${text}`,
    `${VALID}require = { memory = "${text}" }\n`,
    /^pawl\.toml:6: metric\.require\.memory: must be a value/,
  ]),
  ['an unknown goal', `${VALID}goal = "smaller"\n`, /^pawl\.toml:6: metric\.goal: .*"minimize".*"maximize"/],
  ['a date for a deadline', stop('deadline = 2031-01-01T00:00:00Z'), /^pawl\.toml:7: stop\.deadline: /],
  ['a deadline without a zone', stop('deadline = "2031-01-01T00:00:00"'), /^pawl\.toml:7: stop\.deadline: /],
  [
    'an environment that is not a name',
    VALID.replace('train =', 'environment = ["A=1"]\ntrain ='),
    /^pawl\.toml:3: contract\.environment\.0: /,
  ],
  // Paths that lead out.
  ['nothing editable', editable('[]'), /^pawl\.toml:2: contract\.editable: /],
  ['an empty path', editable('[""]'), /^pawl\.toml:2: contract\.editable\.0: /],
  [
    'an absolute path',
    editable('["/etc/passwd"]'),
    /^pawl\.toml:2: contract\.editable\.0: must be a path inside the repository/,
  ],
  [
    'a path that goes up',
    editable('["../train.sh"]'),
    /^pawl\.toml:2: contract\.editable\.0: must be a path inside the repository/,
  ],
  [
    'a path that goes up in the middle',
    editable('["a/../../train.sh"]'),
    /^pawl\.toml:2: contract\.editable\.0: must be a path inside/,
  ],
  [
    'absolute instructions',
    VALID.replace('train =', 'instructions = "/etc/passwd"\ntrain ='),
    /^pawl\.toml:3: contract\.instructions: must be a path inside/,
  ],
  [
    'a locked path that goes up',
    VALID.replace('train =', 'locked = ["a", ".."]\ntrain ='),
    /^pawl\.toml:3: contract\.locked\.1: must be a path inside/,
  ],
  // Numbers out of range.
  ['a negative budget', budget('seconds = -1'), /^pawl\.toml:7: budget\.seconds: /],
  ['a budget of zero', budget('seconds = 0'), /^pawl\.toml:7: budget\.seconds: /],
  ['a budget that is not a number', budget('seconds = nan'), /^pawl\.toml:7: budget\.seconds: /],
  ['a budget without end', budget('seconds = inf'), /^pawl\.toml:7: budget\.seconds: /],
  ['a limit of zero', budget('limit_seconds = 0'), /^pawl\.toml:7: budget\.limit_seconds: /],
  ['a limit without end', budget('limit_seconds = +inf'), /^pawl\.toml:7: budget\.limit_seconds: /],
  ['a negative number of experiments', stop('experiments = -1'), /^pawl\.toml:7: stop\.experiments: /],
  ['half an experiment', stop('experiments = 1.5'), /^pawl\.toml:7: stop\.experiments: /],
  ['no patience', stop('patience = 0'), /^pawl\.toml:7: stop\.patience: /],
  ['a target that is not a number', stop('target = nan'), /^pawl\.toml:7: stop\.target: /],
  ['a memory limit of zero', `${VALID}memory_limit = 0\n`, /^pawl\.toml:6: metric\.memory_limit: /],
  // Where the line is found.
  ['a bad value behind a dotted key', `budget.seconds = -1\n${VALID}`, /^pawl\.toml:1: budget\.seconds: /],
  [
    'a bad value in an inline table',
    `\nbudget = { seconds = -1 }\n${VALID}`,
    /^pawl\.toml:2: budget\.seconds: /,
  ],
  [
    'a bad value behind quoted keys',
    `${VALID}["budget"]\n"seconds" = -1\n`,
    /^pawl\.toml:7: budget\.seconds: /,
  ],
  [
    'a bad value in CRLF lines',
    budget('seconds = -1').replaceAll('\n', '\r\n'),
    /^pawl\.toml:7: budget\.seconds: /,
  ],
  [
    'a bad value in a long list',
    editable('[\n  "a.sh",\n  "../b.sh",\n]'),
    /^pawl\.toml:[24]: contract\.editable\.1: /,
  ],
])('a contract with %s is refused with file, line and key', (_, text, message) => {
  expect(errorOf(text)).toMatch(message);
});

test('an error at the end of a contract of eight megabytes is found and told in one short line', () => {
  const padding = '# padding\n'.repeat(800_000);
  expect(errorOf(`${VALID}${padding}[budget]\nseconds = -1\n`)).toMatch(
    /^pawl\.toml:800007: budget\.seconds: /,
  );
  expect(errorOf(`${VALID}${padding}seconds = \n`)).toMatch(/^pawl\.toml:80000[67]: not valid TOML: /);
});

test.each([
  ['an error', VALID.replace('"loss"', '3'), /^pawl: pawl\.toml:5: metric\.name: .*\n$/],
  ['no TOML', '[contract\n', /^pawl: pawl\.toml:[12]: not valid TOML: .*\n$/],
  ['no UTF-8', Buffer.from(`# caf\xe9\n${VALID}`, 'latin1'), /^pawl: pawl\.toml.*UTF-8.*\n$/],
  ['UTF-16', Buffer.from(`\uFEFF${VALID}`, 'utf16le'), /^pawl: pawl\.toml.*\n$/],
  ['nothing', '', /^pawl: pawl\.toml:1: contract: is required\n$/],
  [
    'no file that matches',
    VALID.replace('"train.sh"', '"model.py"'),
    /^pawl: .*model\.py: no committed file matches.*\n$/,
  ],
  [
    'a locked file that is not there',
    VALID.replace('train =', 'locked = ["prepear.py"]\ntrain ='),
    /^pawl: .*prepear\.py.*\n$/,
  ],
  [
    'instructions that are not there',
    VALID.replace('train =', 'instructions = "programme.md"\ntrain ='),
    /^pawl: .*programme\.md.*\n$/,
  ],
])('run refuses a contract with %s: exit code 2, one line, nothing made', async (_, toml, message) => {
  const repository = await createRepository({
    'train.sh': FAST_TRAINER,
    'prepare.py': '',
    'pawl.toml': toml,
  });
  const home = await temporaryFolder();
  const { code, stdout, stderr } = await pawl(['run', repository, '--tag', 'night', '-n', '0'], { home });
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(await git(repository, 'for-each-ref', 'refs/pawl', 'refs/heads/autoresearch')).toBe('');
  expect(await readdir(home)).not.toContain('worktrees');
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
