import { expect, test } from 'vitest';
import { cpuMs } from './support/clock.ts';
import { readOutput as read } from './support/read-output.ts';

test('words that are asked for are read too, the last one printed', () => {
  const require = [{ name: 'correctness', how: '=', value: 'PASS' }] as const;
  const { reader } = read('correctness: FAIL\nrun 2 correctness: PASS (all)\nscore: 3', {
    name: 'score',
    require,
  });
  expect(reader.printed('correctness')).toBe('PASS (all)');
  expect(
    read('{"correctness": true}\nscore: 3', { name: 'score', require }).reader.printed('correctness'),
  ).toBe('true');
});

test.each([
  ['ms', '1.1s', 1100],
  ['milliseconds', '1.1 seconds', 1100],
  ['ms/op', '900 us/op', 0.9],
  ['MB/s', '2 GB/s', 2000],
  ['GB', '1.5G', 1.5],
  ['kb', '1.2 mb', 1200],
  ['h', '1 day', 24],
  ['%', '0.95', null],
  ['ms', '3 MB', null],
])('a value of a study that began with %s and printed %s is %d', (unit, text, value) => {
  expect(read(`x: ${text}\n`, { name: 'x' }, { x: unit }).value).toBe(value);
});

test('a pattern that finds no number any more takes the number back', () => {
  const metric = { name: 'score', pattern: String.raw`score=(\S+)` };
  expect(read('score=0.5\nscore=ERROR', metric).value).toBeNull();
  expect(read('score=0.5\nnothing', metric).value).toBe(0.5);
});

test('an object that is nested without end is no result, and ends nothing', () => {
  expect(read(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}\nscore: 1`, { name: 'score' }).value).toBe(1);
});

test('of a flood the last value counts, also where its line was not looked at', () => {
  const lines = [...Array(90_001).keys()].map(index => `step ${index} | loss: 1 | val_loss: ${index}`);
  expect(read(lines.join('\n'), { name: 'val_loss' }).value).toBe(90_000);
});

test('no line makes reading slow', () => {
  const began = cpuMs();
  const hostile = [
    'a',
    ' ',
    'a ',
    'val_loss ',
    'val_loss:',
    "{'a':",
    '| ',
    'a=',
    '1,',
    '[',
    'INFO ',
    '- ',
    '50%|',
    'epoch  ',
    '[1] a: ',
    '1  ',
    'val_loss 1 ',
    "a's ",
    'val_loss 1: 5%|',
    'val_loss 1, ',
    '[1/1] val_loss 1 (',
    'train ',
  ];
  for (const text of hostile) read(`${text.repeat(65_536 / text.length)}\n`.repeat(3), { name: 'val_loss' });
  // Quadratic behaviour would take minutes; this is a bound on the algorithm, not a timing.
  expect(cpuMs() - began).toBeLessThan(10_000);
});

test.each([
  ['no group', 'val_loss', /must have one group/],
  ['two groups', '(a)(b)', /has 2/],
  ['an unclosed group', '(a', /not a regular expression in RE2's syntax: .*missing closing \)/],
  ['repetitions that make it slow', '(?:a{0,300}){2}(b)', /is too large/],
  ['what only slow engines can', '(?=a)(b)', /not a regular expression in RE2's syntax/],
])('a pattern with %s is refused', (_, pattern, message) => {
  expect(() => read('', { name: 'x', pattern })).toThrow(message);
});

test.each([
  ['val_los: 0.25', 'val_los as the metric in set-up (or --metric val_los in the terminal, or name = '],
  [
    'BenchmarkA-8 1 5 val_loss\nBenchmarkB-8 1 7 val_loss',
    'for instance BenchmarkA val_loss as the metric in set-up (or ',
  ],
  [
    'accuracy: 0.25',
    'write the one you mean as the metric in set-up (or --metric in the terminal, or name under',
  ],
  ['0.25', ' as the pattern of the number in set-up (or pattern = '],
])('without a pawl.toml, the advice about %j names where the metric came from', (text, advice) => {
  const { message } = read(text, { name: 'val_loss' }, {}, 'form');
  expect(message?.toLowerCase()).toContain(advice.toLowerCase());
  expect(message).not.toContain(' in pawl.toml');
});

test('what has several words is shown only where it is asked for', () => {
  const { reader } = read('shard 000: 27 bytes\ndepth: 8\nSharpe Ratio: 1.5\n', { name: 'Sharpe Ratio' });
  expect(reader.summary()).toEqual({ depth: 8, 'Sharpe Ratio': 1.5 });
});

test.each<[string, string, number | null]>([
  ['before a summary without it', 'score: 1\n---\ndepth: 8\n', null],
  ['in a summary before one without it', '---\nscore: 1\n---\ndepth: 8\n', 1],
  ['behind a summary without it', '---\ndepth: 8\n\nFinal score: 2\n', 2],
  ['in a summary and taken back in the next', '---\nscore: 1\n---\nscore: n/a\n', null],
  ['before a long rule', 'score: 1\n------\ndepth: 8\n', 1],
])('a value %s counts as such', (_, text, value) => {
  expect(read(text, { name: 'score' }).value).toBe(value);
});
