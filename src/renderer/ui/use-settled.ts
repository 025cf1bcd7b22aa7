import { useEffect, useState } from 'react';

/** How long what asks the host waits for the next letter. */
const SETTLE_MS = 400;

/** A value once it has held still. Compared as `Object.is` does: an object has to stay the same one. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
