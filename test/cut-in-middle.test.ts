import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutInMiddle } from '../src/shared/cut-in-middle.ts';

test('the value that a search set is the part that stays', () => {
  expect(cutInMiddle('Set LEARNING_RATE to 0.0412')).toEqual(['Set LEARNING_RATE to', ' 0.0412']);
  expect(cutInMiddle('Halve the batch and set DEPTH to 12, as before')).toEqual([
    'Halve the batch and set DEPTH to',
    ' 12, as before',
  ]);
});

test('without a number near the end the last words stay', () => {
  expect(cutInMiddle('A short warm-up of one step in twenty')).toEqual([
    'A short warm-up of one',
    ' step in twenty',
  ]);
  expect(
    cutInMiddle('Use 4 layers, and leave everything else as it was in the first experiment of all'),
  ).toEqual(['Use 4 layers, and leave everything else as it was in the first experiment', ' of all']);
});

test('a single word is not cut', () => {
  expect(cutInMiddle('Regularization')).toEqual(['Regularization', '']);
  expect(cutInMiddle('')).toEqual(['', '']);
});

test('both parts together are the line', () => {
  fc.assert(fc.property(fc.string(), line => cutInMiddle(line).join('') === line));
});

test('what the search expects of a change is not kept instead of the change', () => {
  const line = 'CACHE_WINDOW 16384 → 524288: like #30, one of the best so far; expected +0.1 ± 0.2';
  expect(cutInMiddle(line)).toEqual([line, '']);
});
