import { useCallback, useEffect, useRef } from 'react';

/** Runs the last given function once in the next frame, however often it is called before. */
export function useFrame(): (work: () => void) => void {
  const waiting = useRef<{ id: number; work: () => void } | null>(null);
  useEffect(
    () => () => {
      if (waiting.current) cancelAnimationFrame(waiting.current.id);
      waiting.current = null;
    },
    [],
  );
  return useCallback(work => {
    if (waiting.current) {
      waiting.current.work = work;
      return;
    }
    const id = requestAnimationFrame(() => {
      const last = waiting.current;
      waiting.current = null;
      last?.work();
    });
    waiting.current = { id, work };
  }, []);
}
