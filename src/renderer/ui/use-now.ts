import { useSyncExternalStore } from 'react';

/**
 * How often self-changing parts are redrawn: clocks, live curves, the machine. In this time, a curve of a few minutes
 * moves by a pixel or two. All of them change in the same frame, because a frame costs more than most changes in it.
 */
export const BEAT_MS = 1_000;

type Clock = { readonly subscribe: (listener: () => void) => () => void; readonly read: () => number };

/** One clock per interval: everything with the same interval is drawn in the same frame. */
const clocks = new Map<number, Clock>();

function clockOf(everyMs: number): Clock {
  let clock = clocks.get(everyMs);
  if (!clock) {
    clock = makeClock(everyMs);
    clocks.set(everyMs, clock);
  }
  return clock;
}

function makeClock(everyMs: number): Clock {
  let now = Date.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  const listeners = new Set<() => void>();
  const tick = () => {
    // In whole steps: a timer that is slightly late or early would show one second twice and skip another.
    const steps = Math.round((Date.now() - now) / everyMs);
    now = steps < 0 ? Date.now() : now + Math.max(1, steps) * everyMs;
    for (const tell of listeners) tell();
  };
  return {
    read: () => now,
    subscribe: listener => {
      listeners.add(listener);
      if (timer === undefined) {
        // It stood still while nobody watched.
        now = Date.now();
        timer = setInterval(tick, everyMs);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

/** Milliseconds since the epoch, renewed every `everyMs`. */
export function useNow(everyMs: number): number {
  const { subscribe, read } = clockOf(everyMs);
  return useSyncExternalStore(subscribe, read);
}

/** The result of `read`, called again every `everyMs`. `read` must return the same object until something changes. */
export function useEvery<T>(everyMs: number, read: () => T): T {
  return useSyncExternalStore(clockOf(everyMs).subscribe, read);
}
