import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support/scaffold.ts';
import { expectRefusal, python, SCORER_LIBRARY, score, startScoring } from './support/scoring.ts';

/** `resources/scorer`: what a scorer makes of an honest model, and of whatever else may be at the other end. */

/** Texts in which every second token is the one after the one before. */
const DATA = `
import math, random, pawl_score
draw = random.Random(1)
def piece():
    tokens = [draw.randrange(8)]
    while len(tokens) < 33:
        tokens.append((tokens[-1] + 1) % 8 if draw.random() < 0.5 else draw.randrange(8))
    return bytes(tokens)
pieces = [piece() for _ in range(64)]
`;

const BITS = `${DATA}
pawl_score.report(val_bpb=pawl_score.bits_per_byte(pawl_score.model(), pieces, classes=8))`;

/** Half of the chance goes to a favourite: `place` is where it is wanted, `row` the tokens, `rows` all of the batch. */
const favours = (favourite: string): string => `
import math, pawl_score
def favour(favourite):
    return [math.log(0.5 if each == favourite else 0.5 / 7) for each in range(8)]
def answer(inputs):
    rows = inputs.tolist()
    return [[favour((${favourite}) % 8) for place in range(len(row))] for number, row in enumerate(rows)]
pawl_score.serve(answer)`;

const HONEST = favours('row[place] + 1');

test('an honest model gets the score that it has, whatever both of them print', async () => {
  const asking = `${DATA}
print('{"val_bpb": 0.1}', flush=True)
claim = -sum(math.log2(0.5 if b == (a + 1) % 8 else 0.5 / 7) for p in pieces for a, b in zip(p, p[1:])) / 64 / 32
model = pawl_score.model()
pawl_score.report(
    claim=claim,
    val_bpb=pawl_score.bits_per_byte(model, pieces, classes=8),
    probed_all=pawl_score.bits_per_byte(model, pieces, classes=8, probes=99, batch=7),
    nats=pawl_score.mean_cross_entropy(model, [p[:-1] for p in pieces], [p[1:] for p in pieces], 8, batch=64),
)`;
  const model = `print('{"arrays": []}' * 1000, flush=True)\n${HONEST.replace('rows =', 'print(1); rows =')}`;
  const { score: numbers, scorer, model: asked } = await score(asking, model);
  expect(scorer.stderr).toBe('');
  expect(scorer.stdout).toBe('{"val_bpb": 0.1}\n');
  expect(numbers?.claim).toBeGreaterThan(2);
  expect(numbers?.val_bpb).toBeCloseTo(numbers?.claim ?? 0, 9);
  expect(numbers?.probed_all).toBeCloseTo(numbers?.claim ?? 0, 9);
  expect(numbers?.nats).toBeCloseTo((numbers?.claim ?? 0) * Math.LN2, 9);
  expect(asked).toMatchObject({ code: 0, stderr: '' });
});

test('tokens of several bytes count by their bytes, and those of none do not count', async () => {
  const asking = `import pawl_score
pawl_score.report(bpb=pawl_score.bits_per_byte(pawl_score.model(), [[0, 1, 2, 7]] * 3, 8, token_bytes=[9, 2, 4, 1, 1, 1, 1, 0]))`;
  const { score: numbers } = await score(asking, HONEST);
  // Of each row two tokens count, 1 and 2, both expected with one half, for six bytes.
  expect(numbers?.bpb).toBeCloseTo(2 / 6, 9);
});

test('one prediction a row is scored as well, and arrays of several kinds go out', async () => {
  const asking = `import array, pawl_score
model = pawl_score.model()
inputs = [array.array('f', [n, n / 2]) for n in range(40)]
nats = pawl_score.mean_cross_entropy(model, inputs, [n % 2 for n in range(40)], 2, kind='probabilities', batch=8)
numbers = model.predict([[1, 2.5], [3, 4]], (2, 2)).tolist()
pawl_score.report(nats=nats, sum=sum(map(sum, numbers)))`;
  const model = `import pawl_score
def answer(inputs):
    if inputs.dtype == 'float64':
        return inputs
    return [[0.75, 0.25] if row[0] % 2 == 0 else [0.25, 0.75] for row in inputs.tolist()]
pawl_score.serve(answer)`;
  const { score: numbers, scorer } = await score(asking, model);
  expect(scorer.stderr).toBe('');
  expect(numbers?.nats).toBeCloseTo(-Math.log(0.75), 9);
  expect(numbers?.sum).toBe(10.5);
});

test.each([
  ['looks one token ahead', 'row[min(place + 1, 31)]', /^The model looks ahead: .* by 1\.9 nats /],
  ['looks at the end of the text', 'row[place] + 1 + row[31] // 7', /^The model looks ahead: /],
  ['looks at the row above it', 'rows[number - 1][place]', /^The model looks at other rows of its batch: /],
  ['looks at where its row stands', 'row[place] + number', /^The model looks at other rows of its batch: /],
])('a model that %s has no score', async (_, favourite, sentence) => {
  expectRefusal(await score(BITS, favours(favourite)), sentence);
});

test('a model that looks at its batch where each row is one prediction has no score', async () => {
  const asking = `import pawl_score
nats = pawl_score.mean_cross_entropy(pawl_score.model(), [[n] for n in range(40)], [0] * 40, 2, kind='probabilities')
pawl_score.report(nats=nats)`;
  const model = `import pawl_score
def answer(inputs):
    mean = sum(inputs.values()) / inputs.shape[0] / 100
    return [[mean, 1 - mean] for _ in range(inputs.shape[0])]
pawl_score.serve(answer)`;
  expectRefusal(await score(asking, model), /^The model looks at other rows of its batch: /);
});

/** It looks ahead with some weight, says again what it said of what it has seen before, and so contradicts itself never. */
const remembers = (weight: number) => `
import math, pawl_score
said = {}
def predict(row, place):
    fair = [0.5 if each == (row[place] + 1) % 8 else 0.5 / 7 for each in range(8)]
    ahead = row[place + 1] if place + 1 < len(row) else row[place]
    return [math.log((1 - ${weight}) * share + ${weight} * (each == ahead)) for each, share in enumerate(fair)]
def one(row):
    return [said.setdefault(row[:place + 1], predict(row, place)) for place in range(len(row))]
pawl_score.serve(lambda inputs: [one(row) for row in inputs.rows()])`;

/** Texts that begin alike would contradict one that remembers: each begins in its own way. */
const LONG_BITS = BITS.replace('[draw.randrange(8)]', '[draw.randrange(8) for _ in range(12)]');

test('a model that looks ahead, and remembers what it said before, pays more for what it had not seen', async () => {
  const scored = await score(LONG_BITS, remembers(0.5));
  expectRefusal(scored, /^The model looks ahead: it pays .* nats for what it could not see, /);
});

test('one that remembers, and looks ahead a little, contradicts a twin that remembers other things', async () => {
  const scored = await startScoring(python(LONG_BITS), python(remembers(0.02)), undefined, 2).ended;
  expectRefusal(
    scored,
    /^The model looks ahead: a prediction .* changed by 0\.[0-9]+ nats with what comes after it/,
  );
  const honest = await startScoring(python(BITS), python(HONEST), undefined, 2).ended;
  expect(honest).toMatchObject({ score: { val_bpb: expect.any(Number) }, model: { code: 0 } });
});

test('which of two twins is asked for what counts is left to chance', async () => {
  const asks = BITS.replace('classes=8', 'classes=8, batch=1, probes=0');
  const counts = HONEST.replace('rows =', "print('asked'); rows =");
  const { score: numbers, model } = await startScoring(python(asks), python(counts), undefined, 2).ended;
  expect(numbers).not.toBeNull();
  const asked = model?.stdout.match(/asked/g)?.length;
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(64);
});

test.each([
  [
    'log_probabilities',
    'does not sum to 1',
    '[-2.0] * 8',
    /no distribution: it sums to 1\.08268 \(row 0, place 0\)/,
  ],
  ['log_probabilities', 'is no number', '[math.nan] + [-2.0] * 7', /no distribution: it sums to nan/],
  ['log_probabilities', 'is infinite', '[math.inf] + [-2.0] * 7', /no distribution: it sums to inf/],
  ['log_probabilities', 'is too large to be one', '[1e300] + [-2.0] * 7', /no distribution: it sums to inf/],
  [
    'log_probabilities',
    'rules out what came',
    '[0.0] + [-math.inf] * 7',
    /gave no chance to class [1-7], which came/,
  ],
  ['probabilities', 'does not sum to 1', '[0.125] * 7 + [0.1255]', /no distribution: it sums to 1\.0005/],
  ['probabilities', 'is no number', '[math.nan] + [0.125] * 7', /no distribution: it sums to nan/],
  ['probabilities', 'is below 0', '[1.5, -0.5] + [0.0] * 6', /no distribution: it holds -0\.5, below 0/],
  ['probabilities', 'rules out what came', '[1.0] + [0.0] * 7', /gave no chance to class [1-7], which came/],
])('of %s, one that %s has no score', async (kind, _, numbers, sentence) => {
  const model = `import math, pawl_score
pawl_score.serve(lambda inputs: [[${numbers}] * 32] * inputs.shape[0])`;
  expectRefusal(await score(BITS.replace('classes=8', `classes=8, kind='${kind}'`), model), sentence);
});

test('nothing is to be gained by a sum that is a little larger than 1', async () => {
  const model = `import pawl_score
pawl_score.serve(lambda inputs: [[[0.12501] * 8] * 32] * inputs.shape[0])`;
  const scored = await score(BITS.replace('classes=8', "classes=8, kind='probabilities'"), model);
  expect(scored.score?.val_bpb).toBeCloseTo(3, 9);
});

test('predictions that are no distributions are finite', async () => {
  const asking = `import pawl_score
pawl_score.report(sum=sum(pawl_score.model().predict([[1, 2]], (2,)).values()))`;
  const answers = (numbers: string) => `import math, pawl_score\npawl_score.serve(lambda inputs: ${numbers})`;
  expect((await score(asking, answers('[-1.5, 7.0]'))).score).toEqual({ sum: 5.5 });
  expectRefusal(await score(asking, answers('[1.5, math.nan]')), /a number that is not finite/);
  expectRefusal(await score(asking, answers('[1.5, -math.inf]')), /a number that is not finite/);
});

test.each([
  ['twice', 'pawl_score.report(a=1); pawl_score.report(a=2)', /A score was reported already/],
  ['what is no number', "pawl_score.report(a=float('nan'))", /a is nan, which is not a finite number/],
  ['what is infinite', 'pawl_score.report(a=1, b=-1e999)', /b is -inf, which is not a finite number/],
  ['text', "pawl_score.report(a='0.5')", /a is a str, not a number/],
  ['a truth value', 'pawl_score.report(a=True)', /a is a bool, not a number/],
  ['nothing', 'pawl_score.report()', /A score without a number is none/],
  ['for a model that there is not', 'pawl_score.model()', /PAWL_MODEL_FDS is not set/],
])('a scorer that reports %s has no score', async (_, code, sentence) => {
  expectRefusal(await score(`import pawl_score\n${code}`), sentence);
});

test('a scorer that reports nothing, or only prints, has no score', async () => {
  expect(await score(`import pawl_score\nprint('{"a": 1}')`)).toMatchObject({
    score: null,
    scorer: { code: 0 },
  });
});

test('an artifact is what the training left, and nothing that lies elsewhere', async () => {
  const folder = await temporaryFolder();
  const artifacts = join(folder, 'artifacts');
  await mkdir(artifacts);
  await writeFile(join(folder, 'hidden'), 'no');
  await writeFile(join(artifacts, 'model.bin'), 'weights');
  await symlink('../hidden', join(artifacts, 'link'));
  const reads = (name: string) => `import pawl_score
pawl_score.report(bytes=len(open(pawl_score.artifact('${name}')).read()))`;
  expect((await score(reads('model.bin'), null, artifacts)).score).toEqual({ bytes: 7 });
  for (const name of ['gone.bin', 'link', '../hidden', join(folder, 'hidden')]) {
    expectRefusal(await score(reads(name), null, artifacts), /^The training left no /);
  }
});

test('the scorer that the guide shows scores', async () => {
  const guide = await readFile(join(SCORER_LIBRARY, 'README.md'), 'utf8');
  const [, shown = ''] = /```python\n(import os\n[^`]*)```/.exec(guide) ?? [];
  expect(shown.trim().split('\n').length).toBeLessThan(10);
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'validation.txt'), 'abcdefgh'.repeat(200));
  const model = `import pawl_score
pawl_score.serve(lambda inputs: [
    [[0.5 if each == byte + 1 else 0.5 / 255 for each in range(256)] for byte in row] for row in inputs.rows()
])`;
  const asks = shown.replace('~/data/hidden', folder).replace('pieces))', "pieces, kind='probabilities'))");
  const { score: numbers, scorer } = await score(asks, model);
  expect(scorer.stderr).toBe('');
  // Seven of eight bytes are the ones after those before them.
  expect(numbers?.val_bpb).toBeCloseTo((7 + Math.log2(255 / 0.5)) / 8, 2);
});

const lacks = async (module: string): Promise<boolean> =>
  promisify(execFile)('python3', ['-c', `import ${module}`]).then(
    () => false,
    () => true,
  );
const [lacksNumpy, lacksTorch] = await Promise.all([lacks('numpy'), lacks('torch')]);
if (lacksNumpy || lacksTorch) console.warn('Arrays of numpy or torch are skipped: python3 has not both.');

/** More numbers in a batch than numpy is imported for: 128 texts of 32 places and 256 classes. */
const MANY = `${DATA}
import pawl_checks, sys
model, pieces = pawl_score.model(), pieces * 4
def bits(kind, many):
    pawl_checks.MANY = many
    return pawl_score.bits_per_byte(model, pieces, kind=kind, batch=128, probes=1)`;

/** A model of torch that answers with tensors; each token has some chance, the next one most. */
const tensors = (change: string) => `
import torch, pawl_score
def answer(inputs):
    tokens = inputs.torch().long()
    logits = (3 * torch.nn.functional.one_hot((tokens + 1) % 256, 256)).float()
    ${change}
    return torch.log_softmax(logits, -1)
pawl_score.serve(answer)`;

test.skipIf(lacksNumpy || lacksTorch)(
  'numpy checks the same as plain Python, and finds the same',
  async () => {
    const asking = `${MANY}
pawl_score.report(plain=bits('log_probabilities', 2**60), by_numpy=bits('log_probabilities', 2**20), imported=int('numpy' in sys.modules))`;
    const { score: numbers, scorer } = await score(asking, tensors(''));
    expect(scorer.stderr).toBe('');
    expect(numbers?.imported).toBe(1);
    // numpy takes the exponentials of float32 in float32.
    expect(numbers?.by_numpy).toBeCloseTo(numbers?.plain ?? 0, 6);
    const asks = (kind: string) => `${MANY}\npawl_score.report(bits=bits('${kind}', 2**20))`;
    const ask = async (change: string, kind = 'log_probabilities') => score(asks(kind), tensors(change));
    expectRefusal(await ask('logits[:, :-1] += logits[:, 1:]'), /^The model looks ahead: /);
    expectRefusal(await ask('logits += logits.roll(1, 0)'), /^The model looks at other rows/);
    expectRefusal(await ask('return logits'), /no distribution: it sums to /);
    expectRefusal(
      await ask('return torch.full_like(logits, float("nan"))'),
      /no distribution: it sums to nan/,
    );
    expectRefusal(
      await ask('return torch.eye(256)[tokens.long()] * 2 - 1 / 256', 'probabilities'),
      /below 0/,
    );
    expect((await ask('return torch.softmax(logits, -1)', 'probabilities')).score?.bits).toBeCloseTo(
      numbers?.plain ?? 0,
      6,
    );
  },
);
