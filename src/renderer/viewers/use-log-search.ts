import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { firstHit, stepHit } from './log-lines.ts';
import type { LogViewProps } from './log-view-props.ts';

const SEARCH_DELAY_MS = 300;

/**
 * The words in the search box, when to search for them, and the current hit. Calls `onHit` with each hit to show;
 * `getOffset` returns the reader's byte when the hits arrive.
 */
export function useLogSearch(
  { hits, onSearch }: Pick<LogViewProps, 'hits' | 'onSearch'>,
  { onHit, getOffset }: { onHit(index: number): void; getOffset(): number },
) {
  const [words, setWords] = useState('');
  const [current, setCurrent] = useState<number | null>(null);
  const asked = useRef('');
  const search = useRef(onSearch);
  useLayoutEffect(() => {
    search.current = onSearch;
  });

  const ask = (next: string) => {
    if (asked.current === next) return;
    asked.current = next;
    setCurrent(null);
    search.current(next);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the words alone start the wait
  useEffect(() => {
    const timer = setTimeout(() => ask(words), words === '' ? 0 : SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [words]);

  const goTo = (index: number | null) => {
    setCurrent(index);
    if (index !== null) onHit(index);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new answer moves the reader
  useEffect(() => {
    if (hits?.kind === 'found' && hits.words === asked.current) goTo(firstHit(hits.hits, getOffset()));
  }, [hits]);

  const step = (by: 1 | -1) => {
    if (asked.current !== words) ask(words);
    else if (hits?.kind === 'found') goTo(stepHit(current, hits.hits.length, by));
  };
  const end = () => {
    setWords('');
    ask('');
  };
  return { words, setWords, current, step, end };
}
