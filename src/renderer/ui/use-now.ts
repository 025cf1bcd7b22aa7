import { useSyncExternalStore } from 'react';

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
    now = Date.now();
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
