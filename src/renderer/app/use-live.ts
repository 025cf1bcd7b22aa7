import { BEAT_MS, useEvery } from '../ui/use-now.ts';
import { type Live, useStore } from './store.ts';

const readLive = () => useStore.getState().live;

/** The live points of one run, updated once per beat however often they arrive; the last ones always arrive. */
export function useLive(study: string, n: number, k: number): Live | null {
  const live = useEvery(BEAT_MS, readLive);
  return live.find(run => run.study === study && run.n === n && run.k === k) ?? null;
}
