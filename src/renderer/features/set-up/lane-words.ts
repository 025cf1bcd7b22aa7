import { lanesSchema } from '../../../shared/calls/call-inputs.ts';
import { wordsOf } from './set-up-arm.ts';

/** The words in a text, separated by commas or spaces. */
export function laneWordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(word => word !== '');
}

/** What is wrong with the words, as a sentence; null if nothing is. */
export function laneProblemOf(text: string): string | null {
  const [issue] = lanesSchema.safeParse(laneWordsOf(text)).error?.issues ?? [];
  return issue ? wordsOf(issue) : null;
}
