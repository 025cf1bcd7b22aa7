import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { harden } from '../src/engine/harden/harden.ts';
import { hardenTraining } from '../src/engine/harden/harden-training.ts';
import { pawl } from './support/pawl.ts';
import { PYTHON } from './support/python.ts';
import { createRepository, git, snapshotUserState, temporaryFolder, writeFiles } from './support/scaffold.ts';
import { UPSTREAM_SHAPE } from './support/upstream-shape.ts';

/** `pawl harden`: what it writes, and where it would rather write nothing. */

const TRAIN = UPSTREAM_SHAPE['train.py'];
const { text: HARDENED } = hardenTraining('train.py', TRAIN);

/** The lines that differ, with their signs. */
const changed = (diff: string) => diff.split('\n').filter(line => /^[+-](?!\+\+ |-- )/.test(line));

async function hardenShape(files: Readonly<Record<string, string>> = {}, more = {}) {
  const repository = await createRepository({ ...UPSTREAM_SHAPE, ...files });
  const scratch = join(await temporaryFolder(), 'scratch');
  const run = (others = {}) =>
    harden(repository, { scratch, heldOut: null, isReplacing: false, isDry: false, ...more, ...others });
  return { repository, run, show: (path: string) => git(repository, 'show', `pawl/harden:${path}`) };
}

test('the branch has one commit more, and the checkout, its index and its branch are as they were', async () => {
  const { repository, run, show } = await hardenShape();
  await writeFiles(repository, { 'train.py': `${TRAIN}# mine\n`, 'notes.txt': 'mine\n' });
  await git(repository, 'add', 'notes.txt');
  const before = await snapshotUserState(repository);
  const { base, commit, diff, uncommitted } = await run();
  const others = (state: string) => state.replaceAll(/\n.*pawl\/harden.*/g, '');
  expect(others(await snapshotUserState(repository))).toBe(others(before));
  expect(uncommitted).toEqual(['train.py']);
  expect(await git(repository, 'rev-parse', 'pawl/harden', 'pawl/harden^', 'HEAD')).toBe(
    [commit, base, base].join('\n'),
  );
  expect(await git(repository, 'diff', '--name-only', base, 'pawl/harden')).toBe(
    'pawl.toml\nscore.py\ntrain.py',
  );
  expect(await git(repository, 'worktree', 'list', '--porcelain')).not.toContain('pawl/harden');
  expect(diff).toBe(`${await git(repository, 'diff', '--full-index', base, 'pawl/harden')}\n`);
  expect(await show('train.py')).toBe(HARDENED.trimEnd());
});

test('train.py gets two pieces: before its optimizer it serves, before its evaluation it saves', async () => {
  const { run } = await hardenShape();
  const { diff } = await run({ isDry: true });
  expect(changed(diff.slice(diff.indexOf('b/train.py')))).toEqual([
    '+import sys',
    '+# Serves score.py with the weights that a training left: nothing is trained.',
    '+if "--serve" in sys.argv:',
    '+    import pawl_losses',
    '+    with autocast_ctx:',
    '+        pawl_losses.serve(model, "model.pt")',
    '+    sys.exit()',
    '+',
    '+# For score.py to evaluate.',
    '+torch.save(getattr(model, "_orig_mod", model).state_dict(), "model.pt")',
  ]);
  expect(HARDENED).toContain('sys.exit()\n\n# Adam is enough here.\noptimizer = ');
  expect(HARDENED).toContain('"model.pt")\nwith autocast_ctx:\n    val_bpb = evaluate_bpb(');
});

test('a contract is written of what was recognised, and one that is there keeps its words', async () => {
  const none = await hardenShape();
  await none.run();
  const written = parsePawlToml(await none.show('pawl.toml'), 'pawl.toml');
  expect(written).toMatchObject({
    ...{ editable: ['train.py'], instructions: 'program.md', train: 'python3 train.py' },
    metric: { name: 'val_bpb', goal: 'minimize' },
    score: {
      ...{ command: 'python3 score.py', artifacts: ['model.pt'], model: 'python3 train.py --serve' },
      ...{ hasTwin: true, reads: [], seconds: 900 },
    },
  });
  const own =
    '# Mine.\n[contract]\neditable = ["train.py"] # only this\ntrain = "nice uv run train.py"\n[metric]\nname = "val_bpb"\n';
  const some = await hardenShape({ 'pawl.toml': own });
  await some.run();
  const text = await some.show('pawl.toml');
  expect(text.startsWith(`${own}\n[score]\n`)).toBe(true);
  expect(parsePawlToml(text, 'pawl.toml').score).toMatchObject({
    ...{ command: 'nice uv run score.py', model: 'nice uv run train.py --serve' },
  });
});

test('the scorer knows how many rows the training evaluates at a time, and what is held out', async () => {
  const heldOut = '~/held "out"/shard.parquet';
  const { run, show } = await hardenShape({}, { heldOut });
  await run();
  const scorer = await show('score.py');
  expect(scorer).toContain('\nROWS = 8\n');
  expect(parsePawlToml(await show('pawl.toml'), 'pawl.toml').score?.reads).toEqual([heldOut]);
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'score.py': scorer });
  const script =
    'import ast; print([eval(ast.unparse(n.value)) for n in ast.parse(open("score.py").read()).body if isinstance(n, ast.Assign)])';
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', script], { cwd: folder });
  expect(stdout).toBe(`[8, 16, '${heldOut}']\n`);
});

test('a branch that is there is replaced only by force, and not where it is checked out', async () => {
  const { repository, run } = await hardenShape();
  const { commit } = await run();
  await expect(run()).rejects.toMatchObject({
    code: 'branch_exists',
    message: 'The branch pawl/harden already exists; --force replaces it. Nothing was changed.',
  });
  await writeFiles(repository, { 'train.py': TRAIN.replace('WIDTH = 16', 'WIDTH = 24') });
  await git(repository, 'commit', '--all', '--quiet', '--message=wider');
  const again = await run({ isReplacing: true });
  expect(again.replaced).toBe(commit);
  expect(again.commit).not.toBe(commit);
  expect(await git(repository, 'rev-parse', 'pawl/harden')).toBe(again.commit);
  const other = join(await temporaryFolder(), 'other');
  await git(repository, 'worktree', 'add', '--quiet', other, 'pawl/harden');
  await expect(run({ isReplacing: true })).rejects.toMatchObject({
    message: expect.stringMatching(/^The branch pawl\/harden is checked out in .*other: /),
  });
  expect(await git(repository, 'rev-parse', 'pawl/harden')).toBe(again.commit);
});

test('a branch with a commit that is not of Pawl is not replaced, also by force', async () => {
  const { repository, run } = await hardenShape();
  const { commit } = await run();
  const mine = await git(repository, 'commit-tree', '-m', 'mine', '-p', String(commit), `${commit}^{tree}`);
  await git(repository, 'update-ref', 'refs/heads/pawl/harden', mine);
  await expect(run({ isReplacing: true })).rejects.toMatchObject({
    code: 'branch_exists',
    message: `The last commit of pawl/harden, ${mine.slice(0, 12)}, was not made by Pawl. To keep it under another name: git branch -m pawl/harden <name>. Nothing was changed.`,
  });
  expect(await git(repository, 'rev-parse', 'pawl/harden')).toBe(mine);
  await git(repository, 'branch', '-m', 'pawl/harden', 'mine');
  expect((await run()).replaced).toBeNull();
});

test('a branch named pawl is said to be in the way', async () => {
  const { repository, run } = await hardenShape();
  await git(repository, 'branch', 'pawl');
  await expect(run()).rejects.toMatchObject({
    message: expect.stringMatching(/^There is a branch named "pawl"/),
  });
});

const replace = (path: 'train.py' | 'prepare.py', from: string, to: string) => {
  expect(UPSTREAM_SHAPE[path]).toContain(from);
  return { [path]: UPSTREAM_SHAPE[path].replace(from, to) };
};

test.each([
  [
    'no evaluation',
    'train.py',
    'val_bpb = evaluate_bpb(',
    'val_bpb = evaluate(',
    /^train\.py has no line like `val_bpb = evaluate_bpb\(model, tokenizer, …\)`\. Nothing was changed\.$/,
  ],
  [
    'two evaluations',
    'train.py',
    '# What came',
    'val_bpb = evaluate_bpb(model, tokenizer, 4)\n# What came',
    /^Two lines of train\.py, 53 and 57, are like /,
  ],
  [
    'an evaluation of another form',
    'train.py',
    'evaluate_bpb(model, ',
    'evaluate_bpb(best["model"], ',
    /^train\.py:56 looks like .*, but is another call\./,
  ],
  [
    'no model',
    'train.py',
    'model = Net(',
    'model = make(',
    /^train\.py has no line like `model = GPT\(config\)`/,
  ],
  [
    'two models',
    'train.py',
    'model.to_empty',
    'model = Net(28)\nmodel.to_empty',
    /^Two lines of train\.py, 35 and 36, are like /,
  ],
  [
    'no optimizer',
    'train.py',
    'optimizer = ',
    'adam = ',
    /^No line of train\.py between 35, .*, and 56, .*`optimizer = …`/,
  ],
  [
    'an evaluation under what comes later',
    'train.py',
    'with autocast_ctx:\n    val',
    'late = autocast_ctx\nwith late:\n    val',
    /^`late`, which the evaluation uses \(train\.py:56\), is not defined yet/,
  ],
  [
    'a model that gives no logits',
    'train.py',
    'targets=None',
    'targets',
    /^train\.py has no line like `def forward\(/,
  ],
  [
    'arguments',
    'train.py',
    'torch.manual_seed(1)',
    'ArgumentParser().parse_args()',
    /^train\.py:31 reads the program's arguments/,
  ],
  [
    'another framework',
    'train.py',
    'import torch\n',
    'import mlx\n',
    /^train\.py has no line like `import torch`/,
  ],
  [
    'an evaluation that wants more',
    'prepare.py',
    'batch_size):',
    'batch_size, tokens):',
    /^prepare\.py has no line like `def evaluate_bpb\(model, tokenizer, batch_size\)`/,
  ],
  [
    'an evaluation by another rule',
    'prepare.py',
    "reduction='none'",
    'mean=False',
    /^prepare\.py has no line like `model\(x, y, reduction='none'\)`/,
  ],
] as const)(
  'with %s nothing is made, and what was looked for is said',
  async (_, path, from, to, message) => {
    const { repository, run } = await hardenShape(replace(path, from, to));
    const before = await snapshotUserState(repository);
    await expect(run()).rejects.toMatchObject({
      code: 'contract_unclear',
      message: expect.stringMatching(message),
    });
    expect(await snapshotUserState(repository)).toBe(before);
    expect(await git(repository, 'branch', '--list', 'pawl/*')).toBe('');
  },
);

test.each([
  [
    'a score',
    {
      'pawl.toml':
        '[contract]\neditable = ["train.py"]\ntrain = "python3 train.py"\n[metric]\nname = "val_bpb"\n[score]\ncommand = "python3 x.py"\nartifacts = ["x"]\n',
    },
    /^The contract already has a \[score\]\./,
  ],
  ['a score.py', { 'score.py': '' }, /^score\.py already exists/],
  [
    'another metric',
    {
      'pawl.toml':
        '[contract]\neditable = ["train.py"]\ntrain = "python3 train.py"\n[metric]\nname = "loss"\n',
    },
    /^The metric is loss/,
  ],
  [
    'an editable prepare.py',
    {
      'pawl.toml':
        '[contract]\neditable = ["*.py"]\ntrain = "python3 train.py"\n[metric]\nname = "val_bpb"\n',
    },
    /^Experiments may change score\.py/,
  ],
  [
    'a goal that is the wrong way round',
    {
      'pawl.toml':
        '[contract]\neditable = ["train.py"]\ntrain = "python3 train.py"\n[metric]\nname = "val_bpb"\ngoal = "maximize"\n',
    },
    /^metric\.goal is maximize, but a lower val_bpb is better\./,
  ],
  [
    'another command',
    { 'pawl.toml': '[contract]\neditable = ["train.py"]\ntrain = "make"\n[metric]\nname = "val_bpb"\n' },
    /^contract\.train is `make`/,
  ],
])('a repository with %s is left alone', async (_, files, message) => {
  const { run } = await hardenShape(files);
  await expect(run()).rejects.toMatchObject({ message: expect.stringMatching(message) });
});

test.each(['cd . && python3', 'true; python3', 'yes | python3', 'torchrun', 'accelerate launch'])(
  'a command that begins with `%s` is none that could be turned into one that scores',
  async before => {
    const { run } = await hardenShape({
      'pawl.toml': `[contract]\neditable = ["train.py"]\ntrain = "${before} train.py"\n[metric]\nname = "val_bpb"\n`,
    });
    await expect(run()).rejects.toMatchObject({
      message: expect.stringMatching(
        /^contract\.train is `.* train\.py`: with `(?:&&|;|\||torchrun|accelerate)` in it/,
      ),
    });
  },
);

test('a training in a function is hardened there, and one that is made elsewhere is not', () => {
  const [head = '', body = ''] = TRAIN.split(/(?=torch\.manual_seed)/);
  const indented = body.replaceAll(/^(?=.)/gm, '    ');
  const inside = hardenTraining('train.py', `${head}def main():\n${indented}\nmain()\n`);
  expect(inside.text).toContain(
    '\n    if "--serve" in sys.argv:\n        import pawl_losses\n        with autocast_ctx:\n',
  );
  const apart = `${head}def make():\n${indented.replace('    # What came', '    return model\ndef main():\n    # What came')}\nmain()\n`;
  expect(() => hardenTraining('train.py', apart)).toThrow(
    /^The model is made \(.*\) and evaluated \(.*\) in different functions\./,
  );
});

test('the ends of the lines stay, and what is imported already is not again', () => {
  const windows = `import sys\n${TRAIN}`.replaceAll('\n', '\r\n');
  const { text } = hardenTraining('train.py', windows);
  expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  const mixed = TRAIN.replace('\n', '\r\n').replace('\noptimizer = ', '\r\noptimizer = ');
  const after = hardenTraining('train.py', mixed).text.split(/(?<=\n)/);
  let at = 0;
  const lost = mixed.split(/(?<=\n)/).filter(line => {
    const found = after.indexOf(line, at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
  expect(lost).toEqual([]);
  expect(text.match(/^import sys/gm)).toHaveLength(1);
});

test('the lines that a contract gets end as its own do', async () => {
  const own =
    '[contract]\r\neditable = ["train.py"]\r\ntrain = "python3 train.py"\r\n[metric]\r\nname = "val_bpb"\r\n';
  const { repository, run } = await hardenShape({ 'pawl.toml': own });
  await run();
  const blob = await git(repository, 'cat-file', 'blob', 'pawl/harden:pawl.toml');
  expect(blob).toContain('"val_bpb"\r\n\r\n[score]\r\n');
  expect(blob.replaceAll('\r\n', '')).not.toContain('\n');
});

test('what is missing, and what a score puts out of force, is told', async () => {
  const own =
    '[contract]\neditable = ["train.py"]\ntrain = "python3 train.py"\n[metric]\nname = "val_bpb"\n[audit.swap]\n"~/a/1" = "~/a/2"\n';
  const { run } = await hardenShape({ 'pawl.toml': own }, { heldOut: '~/not there/shard' });
  expect((await run({ isDry: true })).notes).toEqual([
    '~/not there/shard does not exist yet; studies cannot start until it does.',
    expect.stringMatching(/^audit\.swap in pawl\.toml no longer applies/),
  ]);
  const others = await hardenShape();
  expect((await others.run({ isDry: true })).notes).toEqual([]);
});

test('a number of rows that is computed is left to the scorer', () => {
  const code = TRAIN.replace('DEVICE_BATCH_SIZE = 8', 'DEVICE_BATCH_SIZE = pick(8)');
  expect(hardenTraining('train.py', code).rows).toBeNull();
  expect(
    hardenTraining('train.py', TRAIN.replace('tokenizer, DEVICE_BATCH_SIZE)', 'tokenizer, 12)')).rows,
  ).toBe(12);
});

test('the command shows the diff and what to do next, and as JSON the same', async () => {
  const { repository } = await hardenShape();
  const home = await temporaryFolder();
  await mkdir(join(repository, 'inner'));
  const dry = await pawl(['harden', repository, '--dry-run'], { home });
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(
    /^diff --git a\/pawl\.toml b\/pawl\.toml\n.*\+ {8}pawl_losses\.serve\(model, "model\.pt"\)\n/s,
  );
  expect(await git(repository, 'branch', '--list', 'pawl/*')).toBe('');
  const made = await pawl(['harden', '-C', join(repository, 'inner')], { home });
  expect(made.stdout.startsWith(`${dry.stdout}\nThe branch pawl/harden now has this`)).toBe(true);
  expect(made.stdout).toContain('git merge pawl/harden\n');
  const refused = await pawl(['harden', repository], { home });
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toMatch(/^pawl: The branch pawl\/harden already exists/);
  const old = await git(repository, 'rev-parse', 'pawl/harden');
  const json = JSON.parse((await pawl(['harden', repository, '--json', '--force'], { home })).stdout);
  expect(json).toEqual({
    ...{ branch: 'pawl/harden', base: await git(repository, 'rev-parse', 'HEAD'), uncommitted: [] },
    ...{ commit: await git(repository, 'rev-parse', 'pawl/harden'), diff: dry.stdout },
    ...{ replaced: old, notes: [] },
  });
  const forced = await pawl(['harden', repository, '--force'], { home });
  expect(forced.stdout).toContain(`Before, it was at ${json.commit}`);
});
