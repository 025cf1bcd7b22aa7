import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { documentOf, readPassages } from '../src/engine/contract/document.ts';
import type { Recognition } from '../src/shared/contract/findings.ts';
import { asked, recognized, UPSTREAM } from './support/recognized.ts';

const fixture = (path: string) => readFile(new URL(`fixtures/${path}`, import.meta.url), 'utf8');

function sourceOf({ findings }: Recognition, name: string): string | undefined {
  return findings.find(finding => finding.name === name)?.source;
}

describe('three files', () => {
  test.each([
    ['a part of a file that must stay', 'Never remove or modify the block that saves, in train.py.'],
    [
      'a metric behind a file',
      'Columns vary and `prepare.py` finds them. `score` is the single metric to optimize.',
    ],
    ['what goes on for ever', '## NEVER STOP\n\nRe-read train.py for ideas, try more radical changes.'],
  ])('are not taken for others by %s', async (_, text) => {
    const found = await recognized({
      ...UPSTREAM,
      'program.md': `- \`train.py\` — the file you modify.\n- \`prepare.py\` — do not modify.\n\n${text}\n\nThe goal: get the highest \`score\`.\n\ngrep "^score:" run.log\n`,
    });
    expect(asked(found)).toEqual({
      ...{ editable: ['train.py'], train: 'python3 train.py', metric: 'score', goal: 'maximize' },
      unclear: [],
    });
  });

  test('that one sentence names are all editable', async () => {
    const found = await recognized({
      ...UPSTREAM,
      'model.json': '{}\n',
      'program.md':
        'Lower `val_bpb`.\n\n1. Form a hypothesis.\n2. Edit `model.json` and/or `train.py`.\n3. Run `python3 train.py`.\n',
    });
    expect(found.draft.editable).toEqual(['model.json', 'train.py']);
  });

  test('a direction is of the number that it stands behind', async () => {
    const found = await recognized({
      ...UPSTREAM,
      'program.md':
        'The goal: solve many. The primary metric is `puzzles_solved`. Secondary metric is `seconds_each` (lower is better).\n\ngrep "^puzzles_solved:" run.log\n\n- If puzzles_solved improved (higher), keep the commit.\n',
    });
    expect(asked(found)).toMatchObject({ metric: 'puzzles_solved', goal: 'maximize' });
  });

  test('whose program names another metric are believed', async () => {
    const found = await recognized({
      ...UPSTREAM,
      'program.md': await fixture('contract/program-other-metric.md'),
    });
    expect(asked(found)).toEqual({
      ...{ editable: ['train.py'], train: 'python3 train.py', metric: 'score', goal: 'maximize' },
      unclear: [],
    });
    expect(sourceOf(found, 'metric')).toBe('program.md:2');
    expect(sourceOf(found, 'goal')).toBe('program.md:2');
    expect(sourceOf(found, 'editable')).toBe('program.md:1');
  });

  test('whose program names another file and command are believed', async () => {
    const found = await recognized({
      ...UPSTREAM,
      'prompt.txt': 'Trade well.\n',
      'run_bench.py': 'print("final_funds: 3")\n',
      'program.md': await fixture('contract/program-other-file-and-command.md'),
    });
    expect(asked(found)).toEqual({
      ...{ editable: ['prompt.txt'], train: 'uv run run_bench.py', metric: 'final_funds', goal: 'maximize' },
      unclear: [],
    });
    expect(found.findings).toContainEqual({
      name: 'locked',
      value: expect.stringMatching(/^run_bench\.py, and every other non-editable file/),
      source: 'program.md:2',
    });
  });

  test('whose program says nothing are upstream’s where the code prints upstream’s number', async () => {
    for (const folder of ['cache-folder', 'tracked-log']) {
      const names = ['train.py', 'prepare.py', 'program.md'];
      const files = await Promise.all(names.map(async name => [name, await fixture(`${folder}/${name}`)]));
      const found = await recognized(Object.fromEntries(files));
      expect(asked(found)).toEqual({
        ...{ editable: ['train.py'], train: 'python3 train.py', metric: 'val_bpb', goal: 'minimize' },
        unclear: [],
      });
      expect(sourceOf(found, 'metric')).toMatch(/^train\.py:\d+$/);
      expect(found.draft.budget.seconds).toBe(2);
      expect(sourceOf(found, 'budget')).toMatch(/^prepare\.py:\d$/);
      if (folder === 'cache-folder') {
        expect(found.findings).toContainEqual({
          ...{ name: 'data', value: '~/.cache/autoresearch-ts', source: 'prepare.py:2' },
        });
      }
    }
  });

  test('whose program says nothing and whose code prints something else are asked about', async () => {
    const found = await recognized({
      ...UPSTREAM,
      'train.py': 'print("accuracy: 1")\n',
      'program.md': '# program\n',
    });
    expect(asked(found)).toMatchObject({ editable: ['train.py'], metric: null, goal: null });
    expect(found.unclear.map(({ name }) => name)).toEqual(['metric', 'goal']);
  });

  test('that name two numbers are asked about, with both and where', async () => {
    const program = 'The goal is to get the highest `sharpe`.\n\n```\ngrep "^score:" run.log\n```\n';
    const found = await recognized({
      ...UPSTREAM,
      'train.py': 'print(f"score: 1")\nprint(f"sharpe: 2")\n',
      'program.md': program,
    });
    expect(found.draft.metric.name).toBeNull();
    const [question] = found.unclear;
    expect(question).toMatchObject({ name: 'metric', candidates: ['sharpe', 'score'] });
    expect(question?.why).toContain('sharpe (program.md:1) or score (program.md:4)');
  });

  test('whose texts name a file that is not there are asked about, once for each file', async () => {
    const readme = 'The agent only edits `train.py`.\n\n`train.py` is the single file to edit.\n';
    const found = await recognized({ 'program.md': '# Get the lowest `val_bpb`.\n', 'README.md': readme });
    expect(found.unclear.find(({ name }) => name === 'editable')).toMatchObject({
      candidates: [],
      why: 'It is not clear which files may be edited: train.py (README.md:1, README.md:3), which the commit does not contain.',
    });
  });

  test('that forbid what they allow are asked about', async () => {
    const program =
      '- `train.py` — the file you modify.\n\nDo not modify `train.py`.\n\nGet the lowest `val_bpb`.\n';
    const found = await recognized({ ...UPSTREAM, 'program.md': program });
    expect(found.draft.editable).toBeNull();
    expect(found.unclear[0]?.why).toBe(
      'It is not clear which files may be edited: train.py is allowed (program.md:1), but train.py is not (program.md:3).',
    );
  });
});

test.each([
  ['strategy.py', 'backtest.py'],
  ['kernel.py', 'bench.py'],
  ['algo.py', 'test.py'],
])('%s beside %s are edited and measured', async (edited, measured) => {
  const found = await recognized({
    [edited]: 'x = 1\n',
    [measured]: 'print("speedup: 2")\n',
    'program.md': 'The goal is to maximize `speedup`.\n',
  });
  expect(asked(found)).toEqual({
    ...{ editable: [edited], train: `python3 ${measured}`, metric: 'speedup', goal: 'maximize', unclear: [] },
  });
});

test('any program that names its files is read', async () => {
  const program = `# Faster
You may edit:

- \`src/engine.c\`
- \`src/*.h\`

You must not edit:

- \`bench/\`

Never change the number of rounds. Stop after 40 experiments.

Run the benchmark: \`make bench > run.log 2>&1\`

The metric is \`wall_ms\` — lower is better. Time budget: 2 minutes.
`;
  const found = await recognized({
    ...{
      'src/engine.c': '',
      'src/engine.h': '',
      'bench/run.c': 'printf("wall_ms: 1");',
      Makefile: 'bench:\n',
    },
    'program.md': program,
  });
  expect(asked(found)).toEqual({
    ...{ editable: ['src/engine.c', 'src/*.h'], train: 'make bench', metric: 'wall_ms', goal: 'minimize' },
    unclear: [],
  });
  expect(found.draft.budget.seconds).toBe(120);
  expect(found.draft.stop).toEqual({ experiments: 40 });
  expect(found.findings).toContainEqual({
    name: 'rules',
    value: 'Never change the number of rounds.',
    source: 'program.md:11',
  });
});

describe('a folder of a repository', () => {
  const inside = {
    'research/train.py': 'print("val_bpb: 1")\n',
    'research/prepare.py': 'TIME_BUDGET = 60\n',
    'research/program.md': '- `train.py` — the file you modify.\nGet the lowest val_bpb.\n',
    'app.py': '',
  };

  test('is the shape where it is the only one that has it, and its command runs there', async () => {
    expect(asked(await recognized(inside))).toEqual({
      ...{ editable: ['research/train.py'], train: 'cd research && python3 train.py' },
      ...{ metric: 'val_bpb', goal: 'minimize', unclear: [] },
    });
  });

  test('is not chosen from several', async () => {
    const other = Object.fromEntries(
      Object.entries(inside).map(([path, text]) => [path.replace('research', 'second'), text]),
    );
    await expect(recognized({ ...inside, ...other })).rejects.toMatchObject({
      code: 'contract_not_found',
      message: expect.stringContaining('research, second'),
    });
  });
});

describe('pi-autoresearch', () => {
  const config = (name: string, direction: string) =>
    `{"type":"config","name":"x","metricName":"${name}","metricUnit":"µs","bestDirection":"${direction}"}\n`;
  const run =
    '{"run":1,"commit":"a","metric":3,"metrics":{},"status":"keep","description":"","timestamp":1}\n';

  test('is read from its older files, checks and history included', async () => {
    const found = await recognized({
      'autoresearch.md': await fixture('contract/pi-autoresearch.md'),
      'autoresearch.sh': 'echo METRIC total_µs=3\n',
      'autoresearch.checks.sh': 'true\n',
      'autoresearch.jsonl': config('total_µs', 'lower') + run + run,
      'autoresearch.config.json': '{ "maxIterations": 50 }',
      'lib/x/core.rb': '',
      'test/core_test.rb': '',
    });
    expect(asked(found)).toEqual({
      ...{ editable: ['lib/x/*.rb'], train: './autoresearch.sh', metric: 'total_µs', goal: 'minimize' },
      unclear: [],
    });
    const { source, checks, stop, instructions, locked } = found.draft;
    expect({ source, checks, stop, instructions, locked }).toEqual({
      source: 'pi-autoresearch',
      checks: [{ name: 'checks', command: './autoresearch.checks.sh', seconds: 300 }],
      // Theirs counts the baseline.
      stop: { experiments: 49 },
      instructions: 'autoresearch.md',
      locked: null,
    });
    expect(found.findings).toContainEqual({
      name: 'locked',
      value: expect.stringMatching(/^test\/\*\*, and every other non-editable file/),
      source: 'autoresearch.md:8',
    });
    expect(found.findings).toContainEqual({
      name: 'history',
      value: '2 experiments',
      source: 'autoresearch.jsonl',
    });
  });

  test('is read from its newer folder alone where that is there', async () => {
    const found = await recognized({
      '.auto/prompt.md':
        '# x\n## Metrics\n- **Primary**: fps (frames/s, higher is better)\n## Files in Scope\n- `src/a.c` — all of it\n- `.auto/measure.sh` — the harness\n',
      '.auto/measure.sh': 'echo METRIC fps=3\n',
      'autoresearch.sh': 'echo METRIC old=3\n',
      'autoresearch.checks.sh': 'true\n',
      'src/a.c': '',
    });
    expect(asked(found)).toEqual({
      ...{ editable: ['src/a.c'], train: './.auto/measure.sh', metric: 'fps', goal: 'maximize', unclear: [] },
    });
    expect(found.draft.checks).toEqual([]);
  });

  test('asks where its log has gone on to another number than its prompt', async () => {
    const found = await recognized({
      'autoresearch.md': await fixture('contract/pi-autoresearch.md'),
      'autoresearch.sh': 'echo METRIC total_µs=3\n',
      'autoresearch.jsonl': config('total_µs', 'lower') + run + config('bytes', 'lower') + run,
      'lib/x/core.rb': '',
    });
    expect(found.draft.metric.name).toBeNull();
    expect(found.unclear[0]?.why).toContain('total_µs (autoresearch.md:2) or bytes (autoresearch.jsonl:3)');
  });

  test('believes a direction against what the words of a name say', async () => {
    const prompt = '## Metrics\n- **Primary**: `neg_recall` (unitless, **lower is better**)\n';
    const found = await recognized({ 'autoresearch.md': prompt, 'autoresearch.sh': 'x\n' });
    expect(found.draft.metric).toMatchObject({ name: 'neg_recall', goal: 'minimize' });
  });
});

test('a heading is what stands between its marks', () => {
  const text = '## Goal  ##\n\n   # C #x\n\n#none\n\n#\t \n';
  const passages = readPassages(documentOf('program.md', Buffer.from(text)));
  expect(passages.map(({ kind, text }) => [kind, text])).toEqual([
    ['heading', 'Goal'],
    ['heading', 'C #x'],
    ['prose', '#none'],
    ['heading', ''],
  ]);
});

test('of two set-ups in one folder the checks of either count', async () => {
  const files = {
    ...UPSTREAM,
    'program.md': '- `train.py` — the file you modify.\nGet the lowest `val_bpb`.\n',
    'autoresearch.sh': 'python3 train.py\necho METRIC val_bpb=3\n',
    'autoresearch.checks.sh': 'true\n',
  };
  const found = await recognized(files, { train: 'bash autoresearch.sh' });
  expect(asked(found)).toMatchObject({ editable: ['train.py'], train: 'bash autoresearch.sh', unclear: [] });
  expect(found.draft.checks).toMatchObject([{ name: 'checks', command: './autoresearch.checks.sh' }]);
  expect(sourceOf(found, 'checks')).toBe('autoresearch.checks.sh');
});

test('a script of pi-autoresearch’s name that prints no number is not its session beside a program', async () => {
  const files = {
    ...UPSTREAM,
    'program.md': '- `train.py` — the file you modify.\nGet the lowest `val_bpb`.\n',
    'autoresearch.sh': 'while true; do agent run "$1"; done\n',
  };
  expect(asked(await recognized(files))).toMatchObject({ train: 'python3 train.py', unclear: [] });
});

test('a comment of a results table tells the direction', async () => {
  const found = await recognized({
    ...UPSTREAM,
    'train.py': 'print("widgets: 1")\n',
    'program.md': 'The metric is `widgets`.\n',
    'autoresearch-results.tsv': '# metric_direction: higher_is_better\niteration\tcommit\tmetric\n',
  });
  expect(found.draft.metric).toMatchObject({ name: 'widgets', goal: 'maximize' });
  expect(sourceOf(found, 'goal')).toBe('autoresearch-results.tsv:1');
});

describe('what the user says', () => {
  test('stands in the place of what was found, and of nothing else', async () => {
    const files = { ...UPSTREAM, 'program.md': 'Get the lowest `val_bpb`.\n' };
    const found = await recognized(files, { metric: 'accuracy', editable: ['prepare.py'], train: 'make' });
    expect(asked(found)).toEqual({
      ...{ editable: ['prepare.py'], train: 'make', metric: 'accuracy', goal: 'maximize', unclear: [] },
    });
    expect(sourceOf(found, 'metric')).toBe('your choice');
    expect(sourceOf(found, 'goal')).toBe('the name accuracy');
    // What was said of one number is not said of another.
    expect((await recognized(files, { metric: 'widgets' })).unclear.map(({ name }) => name)).toEqual([
      'goal',
    ]);
  });

  test('describes a repository of no shape at all', async () => {
    const choices = { metric: 'ns', goal: 'minimize', editable: ['a.c'], train: 'make' } as const;
    expect(asked(await recognized({ 'a.c': '' }, choices))).toMatchObject({ editable: ['a.c'], unclear: [] });
  });

  test('is held to the rules of pawl.toml', async () => {
    const files = { ...UPSTREAM, 'program.md': 'Get the lowest `val_bpb`.\n' };
    await expect(recognized(files, { editable: ['../x'] })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^--editable .*inside the repository/),
    });
  });
});

test('what no contract could say is not taken from a text', async () => {
  const found = await recognized({
    ...UPSTREAM,
    'prepare.py': 'TIME_BUDGET = 1e300\n',
    'program.md': 'Get the lowest `val_bpb`. The time budget is 999999 hours.\n',
  });
  expect(found.draft.budget.seconds).toBe(300);
  const log = '{"type":"config","metricName":"a\\nb","bestDirection":"lower"}\n';
  const pi = await recognized({ 'autoresearch.sh': 'x\n', 'autoresearch.jsonl': log });
  expect(pi.draft.metric.name).toBeNull();
});

test('what a README tells people to edit and to run is not taken for the loop’s', async () => {
  const found = await recognized({
    ...UPSTREAM,
    'demo.py': '',
    'config.py': 'KEY = 1\n',
    'program.md': 'Get the lowest `val_bpb`.\n',
    'README.md': '## How to run\n\nEdit `config.py` to set your key.\n\n```\npython3 demo.py\n```\n',
  });
  expect(asked(found)).toMatchObject({ editable: ['train.py'], train: 'python3 train.py', unclear: [] });
  const step = await recognized({
    ...UPSTREAM,
    'config.py': 'KEY = 1\n',
    'program.md': 'Get the lowest `val_bpb`.\n\n1. Modify `config.py`.\n',
  });
  expect(step.draft.editable).toBeNull();
});
