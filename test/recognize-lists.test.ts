import { describe, expect, test } from 'vitest';
import { recognized, UPSTREAM } from './support/recognized.ts';

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
