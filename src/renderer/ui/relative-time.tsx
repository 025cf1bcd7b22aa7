import { useSyncExternalStore } from 'react';
import { formatExactTime, formatRelative } from '../format/numbers.ts';

/** One clock for all relative times on the page. */
const TICK_MS = 15_000;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const tell of listeners) tell();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** `12 min ago`, with the exact time on hover. */
export function RelativeTime({ at }: { readonly at: number }) {
  const tick = useSyncExternalStore(subscribe, () => now);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatExactTime(at)} className="whitespace-nowrap">
      {formatRelative(at, Math.max(tick, at))}
    </time>
  );
}
