import { useState } from 'react';

/** The list of before for as long as its items are the same, so that what depends on it is not done again. */
export function useSame<T extends readonly unknown[]>(next: T): T {
  const [kept, setKept] = useState(next);
  if (kept.length === next.length && next.every((item, index) => Object.is(item, kept[index]))) return kept;
  setKept(next);
  return next;
}
