/** Endings that the search takes off a word. */
const ENDING = /(?:ies|ing|es|ed|ly|s|y)$/;
/** A shorter term is only looked for where a word begins. */
const ANYWHERE_LENGTH = 4;
const WORD_BEGIN = '(?<![\\p{L}\\p{N}_])';

/** What a search for these words marks; null where they say nothing. */
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

/** A line in pieces, those that the pattern finds apart from the others. */
export function partsOf(text: string, matcher: RegExp): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  // What the pattern found stands at the odd places.
  for (const [place, words] of text.split(matcher).entries()) {
    parts.push({ at, words, isMatch: place % 2 === 1 });
    at += words.length;
  }
  return parts;
}
