import { useEffect, useState } from 'react';
import { type Live, useStore } from './store.ts';

/** A curve of a few minutes moves less than a pixel in this time, and no eye reads numbers faster. */
const REDRAW_MS = 500;

/** The live points of one run, renewed a few times a second however often they come; the last ones always arrive. */
export function useLive(study: string, n: number, k: number): Live | null {
  const [live, setLive] = useState(() => useStore.getState().live);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let takenAt = Number.NEGATIVE_INFINITY;
    const take = () => {
      timer = undefined;
      takenAt = performance.now();
      setLive(useStore.getState().live);
    };
    const stop = useStore.subscribe((state, before) => {
      if (state.live === before.live) return;
      timer ??= setTimeout(take, Math.max(0, takenAt + REDRAW_MS - performance.now()));
    });
    take();
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return live.find(run => run.study === study && run.n === n && run.k === k) ?? null;
}
