import { useEffect, useState } from 'react';

/** How long requests to the host wait for the next keystroke. */
const SETTLE_MS = 400;

/** A value once it has stopped changing. Compared with `Object.is`, so an object has to stay the same one. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
