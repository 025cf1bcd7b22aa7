import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { budget, editable, errorOf, stop, VALID } from './support/contracts.ts';
import { pawl } from './support/pawl.ts';
import { createRepository, FAST_TRAINER, git, temporaryFolder } from './support/scaffold.ts';

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
  [
    'an unknown key that is like no other',
    `${VALID}direction = "minimize"\n`,
    /^pawl\.toml:6: metric\.direction: unknown key; known are "name", "goal", /,
  ],
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
  [
    'no metric',
    VALID.slice(0, VALID.indexOf('[metric]')),
    /^pawl\.toml:1: metric: is required: .*"pawl doctor --save"/,
  ],
  ['nothing', '', /^pawl\.toml:1: contract: is required: .*"pawl doctor --save"/],
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
  ['nothing', '', /^pawl: pawl\.toml:1: contract: is required: .*\n$/],
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
