import { useEffect, useState } from 'react';

/** Milliseconds since the epoch, renewed every `everyMs`; for clocks that count while something runs. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
