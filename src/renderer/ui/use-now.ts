import { useSyncExternalStore } from 'react';

/**
 * How often that is drawn anew which changes by itself: clocks, live curves, the machine. A curve of a few minutes moves by a pixel or
 * two in this time. All of it changes in one frame, because a frame costs more than most of what changes in it.
 */
export const BEAT_MS = 1_000;

type Clock = { readonly subscribe: (listener: () => void) => () => void; readonly read: () => number };

/** One clock for each pace: what counts at the same pace is drawn in the same frame. */
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
    // Whole steps: a timer that is a little late or early would show one second twice and leave out another.
    const steps = Math.round((Date.now() - now) / everyMs);
    now = steps < 0 ? Date.now() : now + Math.max(1, steps) * everyMs;
    for (const tell of listeners) tell();
  };
  return {
    read: () => now,
    subscribe: listener => {
      listeners.add(listener);
      if (timer === undefined) {
        // It stood while nobody looked.
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

/** What `read` returns, looked at anew every `everyMs`. It returns the same object until something has changed. */
export function useEvery<T>(everyMs: number, read: () => T): T {
  return useSyncExternalStore(clockOf(everyMs).subscribe, read);
}
