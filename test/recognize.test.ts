import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assemble } from '../src/engine/contract/assemble.ts';
import { autoresearchContract } from '../src/engine/contract/autoresearch.ts';
import { type Document, documentOf, readPassages } from '../src/engine/contract/document.ts';
import { readContract } from '../src/engine/contract/load-contract.ts';
import { readFileRoles } from '../src/engine/contract/read-file-roles.ts';
import { TrackedPaths } from '../src/engine/contract/tracked-paths.ts';
import { openRepository, readHeadCommit } from '../src/engine/git/repository.ts';
import type { ContractChoices, Recognition } from '../src/shared/findings.ts';
import { cpuMs } from './support/clock.ts';
import { createRepository, git } from './support/scaffold.ts';

const fixture = (path: string) => readFile(new URL(`fixtures/${path}`, import.meta.url), 'utf8');

/** What is recognised in a repository of these files; those that end in `.sh` can be run. */
async function recognized(
  files: Readonly<Record<string, string>>,
  choices: ContractChoices = {},
): Promise<Recognition> {
  const path = await createRepository(files);
  const scripts = Object.keys(files).filter(name => name.endsWith('.sh'));
  for (const name of scripts) {
    await chmod(join(path, name), 0o755);
    await git(path, 'add', '--chmod=+x', name);
  }
  if (scripts.length > 0) await git(path, 'commit', '--quiet', '--message=scripts');
  const repository = await openRepository(path);
  const head = await readHeadCommit(repository);
  if (!head) throw new Error('no commit');
  return readContract(repository, head, choices);
}

/** The four that are asked for, and what is asked. */
function asked({ draft, unclear }: Recognition) {
  const { editable, train, metric } = draft;
  return {
    editable,
    train,
    metric: metric.name,
    goal: metric.goal,
    unclear: unclear.map(({ name }) => name),
  };
}

function sourceOf({ findings }: Recognition, name: string): string | undefined {
  return findings.find(finding => finding.name === name)?.source;
}

const UPSTREAM = {
  'train.py': 'LR = 0.1\nprint(f"val_bpb: {LR}")\n',
  'prepare.py': 'TIME_BUDGET = 300\n',
};

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

  test('that forbid what they allow are asked about', async () => {
    const program =
      '- `train.py` — the file you modify.\n\nDo not modify `train.py`.\n\nGet the lowest `val_bpb`.\n';
    const found = await recognized({ ...UPSTREAM, 'program.md': program });
    expect(found.draft.editable).toBeNull();
    expect(found.unclear[0]?.why).toContain('train.py (program.md:1) or train.py (program.md:3)');
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

describe('a list of what may be edited', () => {
  /** What is editable and what is locked besides, where a prompt has this below "Files in Scope". */
  async function scoped(list: string, files: readonly string[], offLimits = '') {
    const found = await recognized({
      'autoresearch.md': `## Metrics\n- **Primary**: \`fps\` (higher is better)\n\n## Files in Scope\n${list}\n${offLimits && `\n## Off Limits\n${offLimits}\n`}`,
      'autoresearch.sh': 'echo METRIC fps=3\n',
      ...Object.fromEntries(files.map(path => [path, 'x\n'])),
    });
    const locked = found.findings.find(({ name }) => name === 'locked')?.value;
    return { editable: found.draft.editable, locked, unclear: found.unclear.map(({ name }) => name) };
  }

  test('may except other files, which are locked', async () => {
    const files = ['app/a.dart', 'app/a.g.dart', 'app/ui/b.dart', 'test/c.dart'];
    const list = '- `app/**/*.dart` except generated `*.g.dart`: all of the app.';
    expect(await scoped(list, files)).toEqual({
      editable: ['app/a.dart', 'app/ui/b.dart'],
      locked: '**/*.g.dart, and every other non-editable file',
      unclear: [],
    });
  });

  test('may be a sentence, which excepts a folder and names a language', async () => {
    const files = ['src/lib.rs', 'src/net/peer.rs', 'src/page.html', 'src/bin/main.rs', 'build.rs'];
    expect(await scoped('All Rust source files in `src/` (excluding `src/bin/`).', files)).toMatchObject({
      ...{ editable: ['src/lib.rs', 'src/net/peer.rs'], unclear: [] },
      locked: expect.stringMatching(/^src\/bin\/\*\*/),
    });
    expect(await scoped('Everything in `src/`, except the tests.', files)).toMatchObject({
      editable: ['src/**'],
    });
  });

  test('is asked about where it excepts what no file is called', async () => {
    const found = await scoped('- `src/` except the public interface: speed.', ['src/a.c', 'src/b.c']);
    expect(found).toMatchObject({ editable: null, unclear: ['editable'] });
  });

  test('excepts what its own words of generated files and tests mean', async () => {
    const files = ['src/a.py', 'src/wire_pb2.py', 'src/a_test.py', 'src/attest.py'];
    expect(await scoped('- `src/` (except generated code and tests)', files)).toMatchObject({
      ...{ editable: ['src/a.py', 'src/attest.py'], unclear: [] },
    });
  });

  test('locks what may be edited under a condition only', async () => {
    const files = ['tree.go', 'parse.go', 'tree_test.go'];
    const list =
      '| File | Purpose |\n|---|---|\n| `tree.go` | Types |\n| `parse.go` | Parser |\n| `tree_test.go` | Tests |';
    const offLimits =
      '- The tests (tree_test.go) — only modify to fix faults in them, not to pass more easily';
    expect(await scoped(list, files, offLimits)).toEqual({
      editable: ['tree.go', 'parse.go'],
      locked: 'tree_test.go, and every other non-editable file',
      unclear: [],
    });
    // Without a condition, either may be meant.
    expect(await scoped(list, files, '- tree_test.go')).toMatchObject({ unclear: ['editable'] });
  });

  test('locks a benchmark that must not be rigged, and asks of others beside it', async () => {
    const files = ['src/codec.c', 'bench/codec.c', 'bench/other.c'];
    const list =
      '- `src/codec.c` — the code\n- `bench/codec.c` — the benchmark (repair it; do NOT rig its inputs)';
    expect(await scoped(list, files)).toMatchObject({ editable: ['src/codec.c'], unclear: [] });
    const more = `${list}\n- `;
    expect(await scoped(`${more}\`bench/other.c\` — another one`, files)).toMatchObject({
      unclear: ['editable'],
    });
    // What is made better is no judge, whatever is said of it.
    const own = '- `src/codec.c` — never cheat by skipping blocks\n- `bench/other.c` — cases';
    expect(await scoped(own, files)).toMatchObject({ editable: ['src/codec.c', 'bench/other.c'] });
  });

  test('keeps a benchmark of which it tells the fair edits, and what is excepted under a condition', async () => {
    const files = ['core/codec.py', 'core/bench.py'];
    const list =
      'You may modify anything under `core/` **except the benchmark if that games the numbers**:\n\n- `core/bench.py` — the benchmark. DO NOT weaken it. Legitimate edits: new diagnostics.';
    expect(await scoped(list, files)).toMatchObject({ unclear: [], locked: undefined });
  });

  test('is of tests alone where the code they test must stay', async () => {
    const files = ['src/a.ts', 'src/a.test.ts', 'tests/b.test.ts'];
    const list = 'All `.ts` files under `src/`. Tests live in:\n- `src/**/*.test.ts`\n- `tests/*.test.ts`';
    expect(await scoped(list, files, '- Do NOT modify production source code, only add tests')).toMatchObject(
      {
        ...{ editable: ['src/**/*.test.ts', 'tests/*.test.ts'], unclear: [] },
      },
    );
    // Where tests stand in the files themselves, there is nothing to choose from.
    expect(
      await scoped('All files in `src/`.', files, '- Do NOT modify production logic, only add tests'),
    ).toMatchObject({ editable: ['src/**'], unclear: [] });
  });

  test('may have a part of it forbidden', async () => {
    const files = ['src/int.rs', 'src/table.rs'];
    const list = '- `src/int.rs` — the code\n- `src/table.rs` — its table';
    const offLimits = '- The property tests in `int.rs` — they guard it.';
    expect(await scoped(list, files, offLimits)).toMatchObject({
      ...{ editable: ['src/int.rs', 'src/table.rs'], unclear: [] },
    });
    expect(await scoped(list, files, '- Any file in `src/`')).toMatchObject({ unclear: ['editable'] });
  });

  test('may have headings of its own', async () => {
    const files = ['server/app.py', 'web/main.ts', 'docs/plan.md', 'old.py'];
    const list =
      '\n### Server\n\n- `server/app.py` — limit the rate\n\n### Web\n\n- `web/main.ts` — catch errors\n\n### Background reading\n\n- `docs/plan.md` — the plan\n\n## Tried\n\n- `old.py` — was slow';
    expect(await scoped(list, files)).toMatchObject({ editable: ['server/app.py', 'web/main.ts'] });
    // The title of all is no list.
    const title = { 'autoresearch.md': '# Files you may edit\n\n## Status\n\n- `old.py` was slow\n' };
    const other = await recognized({ ...title, 'autoresearch.sh': 'echo METRIC fps=3\n', 'old.py': '' });
    expect(other.draft.editable).toBeNull();
    // What stands below one that has a list of its own is something else.
    const told = '- `server/app.py` — all of it\n\n### Findings\n\n- `old.py` — was slow';
    expect(await scoped(told, files)).toMatchObject({ editable: ['server/app.py'] });
  });
});

describe('a number that counts', () => {
  const counted = async (program: string, bench: string, more: Readonly<Record<string, string>> = {}) => {
    const text = `- \`model.py\` — the only file you modify.\n- \`bench.py\` — do not modify.\n\nRun: \`python3 bench.py > run.log\`\n\n${program}\n`;
    const found = await recognized({ 'model.py': '', 'bench.py': bench, 'program.md': text, ...more });
    const { name, goal } = found.draft.metric;
    return [name, goal, ...found.unclear.map(question => question.name)];
  };

  test('is spelled as it is asked for', async () => {
    const program = 'Your goal: maximize the HOOP_SUM composite.\n\n`grep "^hoop_sum:" run.log`';
    const bench = 'print("HOOP_SUM parts:")\nprint(f"hoop_sum: {total}")\n';
    expect(await counted(program, bench)).toEqual(['hoop_sum', 'maximize']);
  });

  test('may be told in words, where one name is printed that is spelled alike', async () => {
    const bench = 'print(f"  Total Return : {r}")\nprint(f"  Sharpe Ratio      : {s:.3f}")\n';
    const program = 'Your primary optimization target is **Sharpe ratio**, but mind the total return.';
    expect(await counted(program, bench)).toEqual(['Sharpe Ratio', 'maximize']);
    const reported = 'Maximize the points reported by `bench.py`, not only on paper.';
    expect(await counted(reported, 'print(f"\\nPOINTS:{all}\\nOLD:{old}\\n")\n')).toEqual([
      'POINTS',
      'maximize',
    ]);
    // What a README says that was left over is not heard before the program's own words.
    const left = { 'README.md': 'The metric is **val_bpb**: lower is better.\n' };
    expect(await counted(program, bench, left)).toEqual(['Sharpe Ratio', 'maximize']);
    // What has to improve is what counts.
    const improved =
      'Your objective is to maximize the index of J. Stop if the j_index has not improved for ten rounds.';
    expect(await counted(improved, 'cat("j_index:", j)\ncat("mean_age:", a)\n')).toEqual([
      ...['j_index', 'maximize'],
    ]);
    // Of a longer name the words may be the half only.
    const half = 'Maximize the blended evaluation score.';
    const both = 'print(f"BLENDED SCORE: {b}")\nprint(f"blended: {a}")\n';
    expect((await counted(half, both))[0]).toBeNull();
    const number = 'Reach the highest number of wins.';
    expect((await counted(number, 'print(f"number: {n}")\n'))[0]).toBeNull();
    // Upstream's number is printed as well.
    const files = { 'train.py': 'print(f"loss: {x}")\nprint(f"val_bpb: {y}")\n', 'prepare.py': '' };
    const upstream = await recognized({ ...files, 'program.md': 'Reach the lowest loss of all.\n' });
    expect(upstream.unclear[0]).toMatchObject({ name: 'metric', candidates: ['loss', 'val_bpb'] });
    // Two that are spelled alike, and a word that is printed in a sentence only.
    expect(await counted(reported, 'print(f"points: {a}")\nprint(f"POINTS: {b}")\n')).toEqual([
      ...[null, null, 'metric', 'goal'],
    ]);
    expect(await counted(reported, 'print("the points are counted")\n')).toEqual([
      ...[null, null, 'metric', 'goal'],
    ]);
  });

  test('may stand below a heading of its own in the README', async () => {
    const readme = '## Metric\n\n**`best_n`** — the largest n that was reached.\nHigher is better.\n';
    const bench = 'print(f"  Elapsed: {s}s | best_n: {n:,}")\n';
    expect(await counted('Go as far as you can.', bench, { 'README.md': readme })).toEqual([
      'best_n',
      'maximize',
    ]);
  });

  test('may be the formula that experiments are ranked by', async () => {
    const program =
      '## Evaluation rule\n\nRank experiments by:\n\n```\ntally = drift\n      + 0.25 * cost\n```\n\nLower is better.';
    expect(await counted(program, 'print(f"tally: {t}")\n')).toEqual(['tally', 'minimize']);
  });
});

describe('a command', () => {
  const trained = async (program: string, files: Readonly<Record<string, string>> = {}) => {
    const found = await recognized({
      ...UPSTREAM,
      'check.py': '',
      ...files,
      'program.md': `- \`train.py\` — the file you modify.\n\nGet the lowest \`val_bpb\`.\n\n${program}\n`,
    });
    return found.draft.train ?? found.unclear.map(({ name }) => name);
  };

  test('may take words for a log, which are not to be filled in', async () => {
    expect(
      await trained('4. Run: `python3 train.py --description "<short description>" > run.log 2>&1`'),
    ).toBe('python3 train.py --description "an experiment"');
    expect(await trained('4. Run: `python3 train.py --model <model_name> > run.log 2>&1`')).toEqual([
      'train',
    ]);
    expect(await trained('4. Run: `python3 train.py --model <the model> > run.log 2>&1`')).toEqual(['train']);
    // Once with such words and once without them is one command.
    const both =
      '1. Baseline: `python3 train.py > run.log`\n2. Run: `python3 train.py --notes "what you tried" > run.log`';
    expect(await trained(both)).toBe('python3 train.py');
  });

  test('is not what adds to its output afterwards', async () => {
    const program =
      '4. Run: `python3 train.py > run.log 2>&1`\n5. Then: `python3 check.py --all >> run.log 2>&1`';
    expect(await trained(program)).toBe('python3 train.py');
    expect(await trained('4. Run: `python3 train.py >> run.log 2>&1`')).toBe('python3 train.py');
  });

  test('may go on over several lines', async () => {
    const program = '```bash\nSTEPS=300 \\\n  python3 train.py \\\n  --fast > run.log 2>&1\n```';
    expect(await trained(program)).toBe('STEPS=300 python3 train.py --fast');
  });

  test('that is led in as one is one below a heading of setting up as well', async () => {
    const found = await recognized({
      ...{ 'model.py': '', 'data.py': '', 'program.md': '' },
      'program.md':
        'Get the lowest `val_bpb`. `model.py` is the editable part.\n\n## Setup\n\nCreate the data with:\n\n```\npython3 data.py\n```\n\nRun one trial of five minutes with:\n\n```\npython3 model.py\n```\n',
    });
    expect(found.draft.train).toBe('python3 model.py');
  });

  test('is not what another one is said to run', async () => {
    const files = { 'bench_test.go': '', 'prepare.py': 'x = 1\n' };
    const found = await recognized({
      ...files,
      'lib.go': '',
      'program.md':
        '- `lib.go` — the file you modify.\n\nGet the lowest `val_bpb`.\n\n## Benchmark\n\nThis runs `go test -bench` and notes it.\n',
    });
    expect(found.draft.train).toBeNull();
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

test.each([
  ['a line without end', 'x'.repeat(3_000_000)],
  ['backticks without end', '`a.py '.repeat(300_000)],
  ['many stars', `\`${'*a'.repeat(100)}.py\` the file you modify`],
  ['many openings', '(('.repeat(500_000)],
  ['a table without end', '| a '.repeat(500_000)],
  ['many dashes', `${'- '.repeat(500_000)}\n`],
  ['many digits before nothing', `Budget ${'1'.repeat(500_000)}`],
  ['a grep without end', `grep "${'^a:\\|'.repeat(100_000)}`],
  ['headings with much white space', `# x${' '.repeat(980)}x\n`.repeat(262)],
  ['lines with much white space', `\`a\` x${' '.repeat(980)}x\n\n`.repeat(262)],
  ['lines of marks', `\`a\` ${'.'.repeat(400)}x${'*'.repeat(400)}x\n\n`.repeat(300)],
  ['many commands', 'Run: `uv run train.py`\n'.repeat(50_000)],
])('a program of %s takes no time', async (_, program) => {
  const before = cpuMs();
  await recognized({ ...UPSTREAM, 'program.md': program });
  expect(cpuMs() - before).toBeLessThan(5_000);
});

test('code that prints without end takes no time', async () => {
  const before = cpuMs();
  const numbers = [...Array(20_000).keys()];
  await recognized({
    'prepare.py': `print("${'a='.repeat(400)}")\n`.repeat(300),
    'train.py': numbers.map(n => `print("points of x${n}: 1")`).join('\n'),
    'program.md': 'Maximize points of all.\n\n'.repeat(9_000),
  });
  expect(cpuMs() - before).toBeLessThan(5_000);
});

describe('in a commit of 20,000 files', () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => index);
  const tracked = new TrackedPaths(numbers.map(n => `src/part${n % 100}/file${n}.py`));
  const program = (text: string) => documentOf('program.md', Buffer.from(text));
  const editableOf = (document: Document) => {
    const base = autoresearchContract('', false);
    return assemble({
      ...{ tracked, roles: readFileRoles(document, tracked), isReserved: () => false },
      ...{ commands: [], metrics: [], goals: () => [], parts: [], code: [], findings: [] },
      base: { ...base, metric: { ...base.metric, name: null, goal: null } },
    });
  };

  test.each([
    [
      'a folder with a locked file in it',
      'You may edit `src/`.\n\nDo not modify `src/part1/file1.py`.\n',
      ['src/**', 'src/part1/file1.py'],
    ],
    [
      'a folder with many locked files in it',
      `You may edit \`src/\`.\n\n${numbers.map(n => `Do not modify \`file${n}.py\`.`).join('\n\n')}`,
      ['src/**', 'src/part0/file0.py', 'src/part1/file1.py'],
    ],
    [
      'thousands of patterns',
      `You may edit:\n\n${numbers.map(n => `- \`*${n}x*/*y\``).join('\n')}\n- \`src/part1/file1.py\`\n`,
      [],
    ],
  ])('%s takes no time', (_, text, candidates) => {
    const before = cpuMs();
    const { unclear } = editableOf(program(text));
    expect(cpuMs() - before).toBeLessThan(3_000);
    expect(unclear.find(({ name }) => name === 'editable')?.candidates).toEqual(candidates);
  });

  test('a folder of which nothing is locked is one pattern', () => {
    expect(editableOf(program('You may edit `src/part7/`.\n')).draft.editable).toEqual(['src/part7/**']);
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
