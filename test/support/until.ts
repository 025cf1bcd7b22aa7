import { vi } from 'vitest';
import { WAIT_MS } from './clock.ts';

/** Waits until something is so, and returns it. Vitest alone would give up after a second. */
export function until<T>(find: () => T) {
  return vi.waitUntil(find, { timeout: WAIT_MS, interval: 5 });
}
