import { type ReactNode, useMemo } from 'react';
import { useStore } from '../../app/store.ts';
import { matcherOf, partsOf } from './match-text.ts';

/** Finds the matches of the search text in a line; null while there is no search. */
export function useMatcher(): RegExp | null {
  const text = useStore(state => state.view.filter.text);
  return useMemo(() => matcherOf(text), [text]);
}

/** A line with the matches of the search marked in it. */
export function Marked({
  text,
  matcher,
}: {
  readonly text: string;
  readonly matcher: RegExp | null;
}): ReactNode {
  if (!matcher) return text;
  return partsOf(text, matcher).map(({ at, words, isMatch }) =>
    isMatch ? (
      <mark key={at} className="rounded-sm bg-(--hit) text-(--hit-ink)">
        {words}
      </mark>
    ) : (
      words
    ),
  );
}
