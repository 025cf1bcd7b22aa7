import type { DebriefSummary } from '../../shared/debrief/debrief.ts';
import { stripControl } from '../metrics/line-splitter.ts';

const MOST_SENTENCES = 12;
const SENTENCE_CHARACTERS = 600;
/** A number after a hash names an experiment. */
const CITED = /#(\d{1,9})\b/g;

/**
 * The sentences of a model's text that name at least one experiment, and none that does not exist; sentences without
 * a source are worthless here.
 * @param known numbers of the existing experiments
 */
export function citedSentences(
  text: string,
  known: ReadonlySet<number>,
): Pick<DebriefSummary, 'sentences' | 'dropped'> {
  const all = splitSentences(text);
  const sentences = all.filter(sentence => {
    const cited = [...sentence.matchAll(CITED)].map(([, digits]) => Number(digits));
    return cited.length > 0 && cited.every(n => known.has(n));
  });
  const kept = sentences.slice(0, MOST_SENTENCES);
  return { sentences: kept, dropped: all.length - sentences.length };
}

function splitSentences(text: string): readonly string[] {
  const segments = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(
    text
      .split(/\r\n|[\r\n]/)
      // Markdown's bullets and headings.
      .map(line => stripControl(line).replace(/^\s*(?:[-*•]|#+(?=\s)|\d+\.)\s+/, ''))
      .join('\n'),
  );
  return [...segments]
    .map(({ segment }) => segment.trim().slice(0, SENTENCE_CHARACTERS).toWellFormed())
    .filter(sentence => /\p{L}/u.test(sentence));
}
