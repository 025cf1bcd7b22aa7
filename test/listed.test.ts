import { expect, test } from 'vitest';
import { listed } from '../src/shared/listed.ts';

test('a list names the first and counts the others, but never leaves a single one unnamed', () => {
  expect(listed([], 2)).toBe('');
  expect(listed(['a', 'b'], 2)).toBe('a, b');
  expect(listed(['a', 'b', 'c'], 2)).toBe('a, b, c');
  expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
});
