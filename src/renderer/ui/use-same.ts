import { useState } from 'react';

/** Returns the previous list as long as its items are the same, so that dependent work is not repeated. */
export function useSame<T extends readonly unknown[]>(next: T): T {
  const [kept, setKept] = useState(next);
  if (kept.length === next.length && next.every((item, index) => Object.is(item, kept[index]))) return kept;
  setKept(next);
  return next;
}
