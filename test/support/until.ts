import { vi } from 'vitest';
import { UNTIL_MS } from './clock.ts';

/** Waits until something is so, and returns it. Vitest alone would give up after a second. */
export function until<T>(find: () => T) {
  return vi.waitUntil(find, { timeout: UNTIL_MS, interval: 5 });
}
