import { expect, test } from 'vitest';
import { printedBy as file, readOutput as read } from './support/read-output.ts';

test('a number without a name is found by a pattern', () => {
  expect(read(file('one-number'), { name: 'score', pattern: String.raw`^([\d.]+)$` }).value).toBe(58.2);
});

test('where the metric is not found, what was printed is listed with its lines, the nearest name and what to write', () => {
  const { message } = read('epoch: 1\ntest_acc: 0.5\nval_los: 0.25\n', { name: 'val_loss' });
  expect(message).toBe(
    'Ended with exit code 0 but printed no val_loss. It printed val_los 0.25 (line 3), epoch 1 (line 1), test_acc 0.5 (line 2). ' +
      'The most similar name is val_los: if you mean that, write name = "val_los" under [metric] in pawl.toml (or --metric val_los in the terminal).',
  );
});

test('a name that cannot be read by itself is not suggested as one, but a pattern that finds a number of its line', () => {
  const output = [
    'Quick_sort 100000 x86_64  41  24799122.0 ns/op',
    'Quick_sort_in_place 100000 x86_64  19  54010631.6 ns/op',
    'took 3.5 s, best score 12 so far',
  ].join('\n');
  for (const [name, value] of Object.entries({ quick_sort: 24_799_122, Quick_sort: 24_799_122, score: 12 })) {
    const { message } = read(output, { name });
    expect(message).not.toContain('name = ');
    const pattern = /pattern = '([^']+)'/.exec(message ?? '')?.[1] ?? null;
    expect(read(output, { name, pattern }).value).toBe(value);
  }
});

test('a listed number has nothing of what follows it', () => {
  const { message } = read('seed=5, size=4\ntokens: 1,200\n', { name: 'loss' });
  expect(message).toContain('seed 5 (line 1), tokens 1,200 (line 2).');
});

test('where several rows have the metric, they are listed, and no other number', () => {
  const { message } = read('BenchmarkA-8 10 5 ns/op 0 B/op\nBenchmarkB-8 10 7 ns/op 0 B/op\n', {
    name: 'ns/op',
  });
  expect(message).toBe(
    'Ended with exit code 0 but printed no ns/op. It printed several, one in each row: BenchmarkA ns/op 5 (line 1), ' +
      'BenchmarkB ns/op 7 (line 2). Write the one you mean, for instance name = "BenchmarkA ns/op" under [metric] in pawl.toml (or --metric "BenchmarkA ns/op" in the terminal).',
  );
});
