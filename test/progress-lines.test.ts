import { expect, test } from 'vitest';
import { readOutput } from './support/read-output.ts';

test.each<[string, string, Readonly<Record<string, number>>]>([
  ['an epoch and its batch in brackets', '[2,  4000] loss: 1.85', { epoch: 2, batch: 4000, loss: 1.85 }],
  ['an epoch in brackets', '[epoch 2/10] loss: 1.85', { epoch: 2, loss: 1.85 }],
  ['what is trained first', 'Train Epoch: 2 [640/60000 (1%)]\tLoss: 0.5', { epoch: 2, Loss: 0.5 }],
  ['an episode', 'Episode 10\tLast reward: 26.00\tAverage reward: 16.00', { episode: 10, reward: 16 }],
  ['a generation', 'generation 3 best fitness: 0.0077', { generation: 3, fitness: 0.0077 }],
  ['a round of federated training', 'Round 4/10: val_loss=0.5', { round: 4, val_loss: 0.5 }],
  ['a global step', 'global_step=25, episodic_return=[25.]', { step: 25, episodic_return: 25 }],
  [
    'the end of an epoch',
    '| end of epoch   2 | time: 16.7s | valid loss  6.47 | valid ppl 643.6',
    { epoch: 2, time: 16.7, 'valid loss': 6.47, 'valid ppl': 643.6 },
  ],
  [
    'a bare number and a part of the data',
    '   3 train loss  0.123 test acc: 91.50%',
    { step: 3, 'train loss': 0.123, 'test acc': 91.5 },
  ],
  ['a rank in brackets and then a step', '[3] step: 7 loss: 0.5', { step: 7, loss: 0.5 }],
])('a line that begins with %s is progress', (_, line, values) => {
  const { points } = readOutput(line, { name: 'none' });
  expect(points.map(point => Object.fromEntries(point.values))).toEqual([values]);
});

test.each([
  '[12] Loading: the data',
  '12:\tis no pair',
  '[1] 0.5',
  'epoch  acc',
  '1000 searches 10%: 123 ms',
  '12 tests: 3',
])('%s is no progress', line => {
  const { points } = readOutput(line, { name: 'none' });
  expect(points).toEqual([]);
});

test('of a long table the last row counts, also where its line was not looked at', () => {
  const rows = [...Array(90_002).keys()].map(index => `${index}  ${index / 2}  1`);
  expect(readOutput(`epoch  val_loss  dur\n${rows.join('\n')}`, { name: 'val_loss' }).value).toBe(45_000.5);
});
