import { expect, test } from 'vitest';
import { expectRefusal, python, type Scored, startScoring } from './support/scoring.ts';

/** `resources/scorer/pawl_losses.py`: losses in place of distributions, and whoever tells other ones than its own. */

/** Texts in which every second token is the one after the one before, asked about sixteen at a time. */
const ASKING = `
import math, random, pawl_losses, pawl_score
draw = random.Random(1)
def piece():
    tokens = [draw.randrange(8)]
    while len(tokens) < 33:
        tokens.append((tokens[-1] + 1) % 8 if draw.random() < 0.5 else draw.randrange(8))
    return tokens
pieces = [piece() for _ in range(64)]
told = pawl_losses.CheckedLosses(pawl_score.model(), 8)
nats = []
for at in range(0, 64, 16):
    batch = pieces[at:at + 16]
    nats += told.ask([p[:-1] for p in batch], [p[1:] for p in batch]).values().tolist()
told.finish()
claim = [-math.log(0.5 if b == (a + 1) % 8 else 0.5 / 7) for p in pieces for a, b in zip(p, p[1:])]
pawl_score.report(nats=math.fsum(nats) / len(nats), claim=math.fsum(claim) / len(claim))`;

/** A model that says of place \`place\` of the row \`row\` among \`rows\` which token it favours, and what it tells of a loss. */
const model = (favourite: string, loss = 'loss', chances = 'chances') => `
import math, pawl_score
seen = []
def chances_of(rows, row, place):
    chances = [math.log(0.5 if each == (${favourite}) % 8 else 0.5 / 7) for each in range(8)]
    return ${chances}
def answer(tokens, asked):
    rows = tokens.tolist()
    if len(asked.shape) == 1:
        return [chances_of(rows, row, place) for row, place in zip(rows, asked.tolist())]
    losses = [
        [tell(-chances_of(rows, row, place)[target], place) for place, target in enumerate(targets)]
        for row, targets in zip(rows, asked.tolist())
    ]
    seen.extend(rows)
    return losses
def tell(loss, place):
    return ${loss}
pawl_score.serve(answer)`;
const HONEST = 'row[place] + 1';

const score = (code: string, models = 2): Promise<Scored> =>
  startScoring(python(ASKING), python(code), undefined, models).ended;

test('losses that are those of the distributions are the score', async () => {
  const { score: numbers, scorer } = await score(model(HONEST));
  expect(scorer.stderr).toBe('');
  expect(numbers?.claim).toBeGreaterThan(1);
  expect(numbers?.nats).toBeCloseTo(numbers?.claim ?? 0, 12);
});

test('rounding is no reason to refuse them', async () => {
  const { score: numbers } = await score(model(HONEST, 'loss + 0.0009 * (-1) ** place'));
  expect(numbers?.nats).toBeCloseTo(numbers?.claim ?? 0, 3);
});

test.each([
  ['tells losses that are too low', model(HONEST, '0.9 * loss')],
  ['tells losses that are too low for some places only', model(HONEST, 'loss if place % 2 else 0.0')],
  ['looks at the next token', model('row[min(place + 1, 31)]')],
  ['looks at the next row', model('rows[(rows.index(row) + 1) % len(rows)][place] + 1')],
  ['goes by the number of a row', model('row[place] + 1 + rows.index(row) % 2')],
  ['learns from what it is asked', model('row[place] + 1 + (len(seen) > 16)')],
])('a model that %s has no score', async (_, code) => {
  const sentence =
    /^The model looks at what it must not see: a target \(row \d+, place \d+\) cost [\d.]+ nats, as it told, and [\d.]+ where /;
  expectRefusal(await score(code), sentence);
});

test.each([
  [
    'are too low by less than rounding',
    'loss - 0.0009',
    /^The model tells losses that are too low, by 0\.0009 nats each/,
  ],
  ['are below 0', '-0.5', /^The model told a loss that is none: it is below 0/],
  ['are no numbers', 'math.nan', /^The model told a loss that is none: /],
])('losses that %s are no score', async (_, loss, sentence) => {
  expectRefusal(await score(model(HONEST, loss)), sentence);
});

test('what the losses are compared with is a distribution', async () => {
  const more = '[each + 0.01 for each in chances]';
  expectRefusal(
    await score(model(HONEST, 'loss', more)),
    /^The model's answer is no distribution: it sums to 1\.01005/,
  );
});

test('a model without a twin is not asked', async () => {
  expectRefusal(await score(model(HONEST), 1), /^Losses are checked by a second model program/);
});
