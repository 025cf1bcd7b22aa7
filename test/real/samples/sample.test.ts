import { execFile } from 'node:child_process';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { autoresearchContract } from '../../../src/engine/contract/autoresearch.ts';
import { RESULTS_HEADING } from '../../../src/engine/export/results-tsv.ts';
import { OutputReader } from '../../../src/engine/metrics/output-reader.ts';
import { findConstants } from '../../../src/engine/proposers/search/constants.ts';
import { createSample } from '../../../src/engine/samples/create-sample.ts';
import { DEFAULT_BUDGET } from '../../../src/shared/contract/contract-defaults.ts';
import { checkInvariants } from '../../support/invariants.ts';
import { eventsOf, pawl, sitting } from '../../support/pawl.ts';
import { PYTHON } from '../../support/python.ts';
import { git, temporaryFolder } from '../../support/scaffold.ts';
import { type Program, type Scored, startScoring } from '../../support/scoring.ts';

const sample = fileURLToPath(new URL('../../../resources/samples/byte-lm', import.meta.url));

/** Runs a few lines of Python in a copy of the sample, for a training leaves its weights; resolves with stdout, or with the last line of the error. */
async function python(code: string): Promise<string> {
  const run = promisify(execFile)(PYTHON, ['-B', '-c', code], { cwd: await copyOf(sample) });
  return run.then(
    ({ stdout }) => stdout.trim(),
    error => String(error.stderr).trim().split('\n').at(-1) ?? '',
  );
}

test('the demo trains for real, judges, and leaves diffs, refs and series to look at', async () => {
  const home = await temporaryFolder();
  const repository = join(await temporaryFolder(), 'byte-lm');
  const { code, events, stderr } = await sitting(['demo', '-n', '1', '--into', repository], { home });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const verdicts = eventsOf(events, 'verdict');
  expect(verdicts.map(event => event.n)).toEqual([0, 1]);
  for (const { metric } of verdicts) {
    // A byte has 8 bits; below 1 bit would be better than any model of this kind.
    expect(metric).toBeGreaterThan(1);
    expect(metric).toBeLessThan(8);
  }
  expect(eventsOf(events, 'study_started')[0]).toMatchObject({ metric: 'val_bpb', budgetSeconds: 30 });
  expect(eventsOf(events, 'progress').length).toBeGreaterThan(10);
  for (const run of eventsOf(events, 'run_finished')) {
    expect(run).toMatchObject({ outcome: 'exit 0', survivors: [] });
    expect(run.peakRssBytes).toBeGreaterThan(10e6);
    expect(run.cpuSeconds).toBeGreaterThan(3);
    expect(run.summary).toMatchObject({ val_bpb: expect.any(Number), num_steps: expect.any(Number) });
  }
  const tag = eventsOf(events, 'study_started')[0]?.tag ?? '';
  const { stdout: diff } = await pawl(['show', '1', '--diff'], { home, cwd: repository });
  expect(diff).toMatch(/^-[A-Z_]+ += .*\n\+[A-Z_]+ += /m);
  const { stdout: series } = await pawl(['show', '1', '--series'], { home, cwd: repository });
  expect(series.split('\n')[0]?.split('\t')).toEqual(
    expect.arrayContaining(['seconds', 'step', 'loss', 'tok/sec']),
  );
  const { stdout: table } = await pawl(['results', '--format', 'tsv'], { home, cwd: repository });
  expect(table.split('\n')[0]).toBe(RESULTS_HEADING);
  expect(await git(repository, 'status', '--porcelain')).toBe('');
  expect(await git(repository, 'rev-parse', 'main')).toBe(
    await git(repository, 'rev-parse', `refs/pawl/${tag}/0`),
  );
  await checkInvariants({ repository, home, tag, editable: ['train.py'], userState: null });
});

test('the sample prints progress and summary in the form upstream does', async () => {
  const train = await readFile(join(sample, 'train.py'), 'utf8');
  expect(train).toContain('\\rstep {step:05d} (');
  const short = 'prepare.LOOKUP_BUDGET = 400_000; train.CHUNKS_PER_STEP = 1';
  const program = `import prepare, train; ${short}; train.evaluate_bpb = lambda predict: 2.5; train.main()`;
  const output = await promisify(execFile)(PYTHON, ['-B', '-c', program], {
    cwd: await copyOf(sample),
    encoding: 'utf8',
  });
  expect(output.stdout).toMatch(
    /^\rstep 00000 \(\d+\.\d%\) \| loss: \d+\.\d{6} \| dt: \d+ms \| tok\/sec: [\d,]+ \| epoch: 1 \| remaining: \d+s {4}/,
  );
  expect(output.stdout).toMatch(/\n---\nval_bpb: {10}2\.500000\ntraining_seconds: \d+\.\d\n/);
});

test('the same code gives the same score to the last digit, with chunks of any size the same work, and luck on request', async () => {
  const run = (seed: string, constants = '') =>
    python(`
import contextlib, io, os
os.environ['BYTE_LM_SEED'] = '${seed}'
import prepare, train
prepare.LOOKUP_BUDGET = 400_000
prepare.PASSAGES = 2
${constants}
model = train.Model()
with contextlib.redirect_stdout(io.StringIO()):
    _, learned, _ = train.train(model, prepare.load_training_text())
print(learned, repr(prepare.evaluate_bpb(model.predict)))`);
  const first = await run('');
  expect(first).toMatch(/^100000 \d\.\d{10,}$/);
  expect(await run('')).toBe(first);
  for (const constants of [
    'train.CHUNKS_PER_STEP = 1000',
    'train.CHUNK_BYTES = 2**19',
    'train.CHUNK_BYTES = 1000',
  ]) {
    expect((await run('', constants)).split(' ')[0]).toBe('100000');
  }
  expect(await run('random')).not.toBe(await run('random'));
});

test('the clock ends a training that takes far too long, and says so', async () => {
  const program = `import prepare, train; prepare.TIME_LIMIT = 0; train.evaluate_bpb = lambda predict: 2.5; train.main()`;
  expect(await python(program)).toMatch(
    /\nThe clock ended training before the look-ups were spent: .*\n---\n/,
  );
});

test.each([
  ['does not sum to 1', '[0.9 / 256] * 256', /no distribution/],
  ['has a negative entry', '[-0.1, 1.1] + [0.0] * 254', /no distribution/],
  ['holds what is not a number', '[float("nan")] * 256', /no distribution/],
  ['is too short', '[1.0]', /1 probabilities, not 256/],
  ['rules out what came', '[1.0] + [0.0] * 255', /gave no chance/],
])('the score refuses a prediction that %s', async (_, prediction, message) => {
  expect(await python(`import prepare; prepare.evaluate_bpb(lambda context: ${prediction})`)).toMatch(
    message,
  );
});

test('a model that knows nothing scores 8 bits, and is shown nothing but the past', async () => {
  const code = `
import prepare
seen = []
def predict(context):
    seen.append(context)
    return [1 / 256] * 256
print(round(prepare.evaluate_bpb(predict), 9))
print(all(type(context) is bytes and len(context) <= prepare.CONTEXT_BYTES for context in seen))
# Within a passage each context is the one before, moved on by the byte that was asked for.
print(all(after[:-1] == before[1:] for before, after in zip(seen[:prepare.PASSAGE_BYTES], seen[1:prepare.PASSAGE_BYTES])))
training = prepare.load_training_text()
print(any(seen[at] in training for at in range(0, len(seen), prepare.PASSAGE_BYTES)))`;
  expect((await python(code)).split('\n')).toEqual(['8.0', 'True', 'True', 'False']);
});

test('the split is the same every time', async () => {
  const code = 'import hashlib, prepare; print(hashlib.sha256(prepare.load_training_text()).hexdigest())';
  expect(await python(code)).toBe(await python(code));
});

/** What a training printed as its result. */
const printedBpb = (output: string): number => Number(/\n---\nval_bpb: +(\d\.\d{6})\n/.exec(output)?.[1]);

/** A sample in a folder of its own, for what leaves files. */
async function copyOf(sample: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(sample, folder, { recursive: true });
  return folder;
}

const inFolder = (cwd: string, ...args: string[]): Program => ({ argv: [PYTHON, '-B', ...args], cwd });

/** Scores what a training left in a folder: its artifact lies in another one, and the checkout has it no more. */
async function scoreSample(folder: string, artifact: string): Promise<Scored> {
  const artifacts = await temporaryFolder();
  await rename(join(folder, artifact), join(artifacts, artifact));
  return startScoring(inFolder(folder, 'score.py'), inFolder(folder, 'train.py', '--serve'), artifacts).ended;
}

/** That the score is the number printed, but for its rounding and the order of sums. */
async function expectScored(folder: string, artifact: string, printed: number): Promise<void> {
  const { score, scorer, model } = await scoreSample(folder, artifact);
  expect(scorer.stderr).toBe('');
  expect(model).toMatchObject({ code: 0, stderr: '' });
  expect(Math.abs((score?.val_bpb ?? 0) - printed)).toBeLessThan(1e-4);
}

test('the score of the sample is the number that it prints', async () => {
  const folder = await copyOf(sample);
  const program = 'import train; train.TIME_BUDGET = 0.3; train.CHUNKS_PER_STEP = 1; train.main()';
  const { stdout } = await promisify(execFile)(PYTHON, ['-B', '-c', program], { cwd: folder });
  await expectScored(folder, 'model.bin', printedBpb(stdout));
});

test('no context of the sample shows the scorer’s model a byte before it was predicted', async () => {
  const folder = await copyOf(sample);
  // Each context of a passage is the one before, moved on by the byte that was asked for.
  const model = `import pawl_score
last = None
def answer(contexts):
    global last
    rows = contexts.rows()
    assert last is None or [row[:-1] for row in rows] == [row[1:] for row in last]
    last = rows
    return [[1 / 256] * 256] * len(rows)
pawl_score.serve(answer)`;
  const { score, scorer } = await startScoring(inFolder(folder, 'score.py'), inFolder(folder, '-c', model))
    .ended;
  expect(scorer.stderr).toBe('');
  expect(score?.val_bpb).toBeCloseTo(8, 9);
});

const nano = fileURLToPath(new URL('../../../resources/samples/nano-gpt', import.meta.url));

/** Python in the folder of nano-gpt. */
const inNano = async (code: string) => {
  const { stdout } = await promisify(execFile)(PYTHON, ['-B', '-c', code], { cwd: nano });
  return stdout;
};

test('nano-gpt prints what upstream prints, without PyTorch as well', async () => {
  const output = await inNano(`import prepare
clock = prepare.Clock()
clock.trained = 30.04
prepare.report_progress(420, clock, 3.123456, 1.0, 0.315, 524288, 39.81, 1)
prepare.report_progress(421, clock, 3.1, 0.5, 0.0, 524288, None, 2)
prepare.report_summary(clock, 0.9979, 45060.2, 39.8, 499600000, 953, 50300000, 8)
prepare.report_summary(clock, 0.9979, None, None, 0, 1, 1, 8)`);
  expect(output).toContain(
    '\rstep 00420 (50.1%) | loss: 3.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8% | epoch: 1 | remaining: 30s    ',
  );
  expect(output).toContain('| tok/sec: 0 | mfu: n/a | epoch: 2 |');
  expect(output).toMatch(
    /\n---\nval_bpb: {10}0\.997900\ntraining_seconds: 30\.0\ntotal_seconds: {4}\d+\.\d\n/,
  );
  expect(output).toContain('\npeak_vram_mb:     45060.2\nmfu_percent:      39.80\ntotal_tokens_M:   499.6\n');
  expect(output).toContain('\nnum_steps:        953\nnum_params_M:     50.3\ndepth:            8\n');
  const summary = new OutputReader(
    () => {},
    () => 0,
  );
  summary.push(Buffer.from(output));
  summary.end();
  // What was not measured is absent.
  expect(summary.summary()).toMatchObject({ val_bpb: 0.9979, num_steps: 1 });
  expect(summary.summary()).not.toHaveProperty('peak_vram_mb');
});

test('the data of nano-gpt is the machine’s own, split by whole files, and scored in bits a byte', async () => {
  const output = await inNano(`import math, prepare
train, held_out = prepare.load()
again, _ = prepare.load()
print(len(train) > 1_000_000, len(held_out) > 10_000, train == again, held_out[:2000] in train)
print(prepare.evaluate_bpb(lambda inputs, targets: math.log(256), held_out))
seen = []
prepare.evaluate_bpb(lambda inputs, targets: seen.append((len(inputs), inputs[0][1:] == targets[0][:-1])) or 0, held_out)
print(sum(count for count, _ in seen), all(fits for _, fits in seen))`);
  expect(output.trim().split('\n')).toEqual(['True True True False', '8.0', '128 True']);
});

test('nano-gpt is a repository of the known shape, and names what it lacks', async () => {
  const folder = join(await temporaryFolder(), 'nano-gpt');
  await createSample(folder, 'nano-gpt');
  const contractOf = async () => {
    const { stdout } = await pawl(['doctor', folder, '--json'], { home: await temporaryFolder() });
    const checks = JSON.parse(stdout) as { name: string; detail: string }[];
    return checks.find(({ name }) => name === 'contract')?.detail;
  };
  expect(await contractOf()).toContain('pawl.toml');
  await git(folder, 'rm', '--quiet', 'pawl.toml');
  await git(folder, 'commit', '--quiet', '--message=as upstream is');
  expect(await contractOf()).toContain('autoresearch');
  const contract = autoresearchContract(await readFile(join(nano, 'prepare.py'), 'utf8'), false);
  expect(contract.budget).toEqual({ seconds: 60, limitSeconds: 150, ...DEFAULT_BUDGET });
  const constants = findConstants('train.py', await readFile(join(nano, 'train.py'), 'utf8'));
  expect(constants.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['DEPTH', 'WIDTH', 'LEARNING_RATE', 'BETAS', 'ACTIVATION', 'COMPILE']),
  );
  expect(constants.map(({ name }) => name)).not.toContain('SEED');
});

const torch = await promisify(execFile)('/usr/bin/env', ['python3', '-c', 'import torch']).then(
  () => null,
  () => 'python3 has no PyTorch',
);
if (torch) console.warn(`The training of nano-gpt is skipped: ${torch}.`);
test.skipIf(torch !== null)('nano-gpt trains, and its score is the number that it prints', async () => {
  const folder = await copyOf(nano);
  const program = 'import prepare, train; prepare.TIME_BUDGET = 1; train.main()';
  const { stdout } = await promisify(execFile)(PYTHON, ['-B', '-c', program], { cwd: folder });
  expect(stdout).toMatch(/\n---\nval_bpb: {10}\d\.\d{6}\n/);
  await expectScored(folder, 'model.pt', printedBpb(stdout));
});

test.skipIf(torch !== null)('nano-gpt without its mask looks ahead, and has no score', async () => {
  const folder = await copyOf(nano);
  const train = await readFile(join(folder, 'train.py'), 'utf8');
  expect(train).toContain('is_causal=True');
  await writeFile(join(folder, 'train.py'), train.replace('is_causal=True', 'is_causal=False'));
  const program = 'import prepare, train; prepare.TIME_BUDGET = 1; train.main()';
  await promisify(execFile)(PYTHON, ['-B', '-c', program], { cwd: folder });
  const { score, scorer } = await scoreSample(folder, 'model.pt');
  expect(scorer.stderr).toMatch(/^The model looks ahead: /);
  expect(score).toBeNull();
});
