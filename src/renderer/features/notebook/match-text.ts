/** Endings that the search removes from a word. */
const ENDING = /(?:ies|ing|es|ed|ly|s|y)$/;
/** A shorter term matches only at the beginning of a word. */
const ANYWHERE_LENGTH = 4;
const WORD_BEGIN = '(?<![\\p{L}\\p{N}_])';

/** The pattern that a search for these words marks; null if they contain nothing to search for. */
export function matcherOf(text: string): RegExp | null {
  const terms = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu);
  if (!terms) return null;
  const forms = terms.flatMap(term => {
    const stem = term.replace(ENDING, '');
    return [
      { word: term, isAnywhere: term.length >= ANYWHERE_LENGTH },
      ...(stem.length < 3 ? [] : [{ word: stem, isAnywhere: false }]),
    ];
  });
  // The longest first, so that a whole term is marked rather than its stem.
  const patterns = forms
    .sort((a, b) => b.word.length - a.word.length)
    .map(({ word, isAnywhere }) => `${isAnywhere ? '' : WORD_BEGIN}${word}`);
  return new RegExp(`(${patterns.join('|')})`, 'giu');
}

export type Part = { readonly at: number; readonly words: string; readonly isMatch: boolean };

/** A line in pieces, with the matches of the pattern separated from the rest. */
export function partsOf(text: string, matcher: RegExp): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  // The matches are at the odd places.
  for (const [place, words] of text.split(matcher).entries()) {
    parts.push({ at, words, isMatch: place % 2 === 1 });
    at += words.length;
  }
  return parts;
}
