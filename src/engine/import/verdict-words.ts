import type { VerdictWord } from '../../shared/study.ts';

const words = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

/** Words used in practice for the three verdicts. Any other word is kept as `other`. */
const VERDICT_WORDS = new Map<string, VerdictWord>([
  ...words(
    `keep kept keeper baseline best new_best accept accepted adopt adopted improved improvement promoted merged
     winner 基线 保留`,
  ).map(word => [word, 'keep'] as const),
  ...words(
    `discard discarded revert reverted reject rejected rollback rolled_back drop dropped abandon abandoned undo undone
     worse regressed regression no_improvement not_kept 回滚 丢弃 放弃`,
  ).map(word => [word, 'discard'] as const),
  ...words(
    `crash crashed error errored exception oom out_of_memory timeout timed_out fail failed failure diverged nan
     崩溃 失败 checks_failed tests_failed build_failed compile_error`,
  ).map(word => [word, 'crash'] as const),
]);

/** For columns with yes or no: `kept`, `accepted`. */
const ANSWERS = new Map<string, VerdictWord>([
  ...words('true yes y 1 ✓ ✔ ✅').map(word => [word, 'keep'] as const),
  ...words('false no n 0 ✗ ✘ ❌').map(word => [word, 'discard'] as const),
]);

/** A run that finished and whose number was measured, although it must not count. */
const MEASURED_CRASHES = /^(?:checks|tests)_failed$/;

/** Headings of verdicts, the likeliest first. */
const VERDICT_HEADINGS = words(
  'verdict decision status outcome result kept keep accepted accept action state trial_status kept? keep? accepted? is_kept',
);
const ANSWER_HEADINGS = /^(?:is_)?(?:kept|keep|accepted|accept|improved)\??$/;

/** A longer text is not a verdict but a sentence in the wrong column. */
const MAX_WORD_CHARACTERS = 40;

export function isVerdictHeading(heading: string): boolean {
  return VERDICT_HEADINGS.includes(heading);
}

/** The rank of a heading; the lower, the likelier it holds verdicts. */
export function verdictHeadingRank(heading: string): number {
  return VERDICT_HEADINGS.indexOf(heading);
}

export type ReadVerdict = {
  readonly word: VerdictWord;
  /** The original text. */
  readonly text: string;
  /** Whether the number beside it may have been measured. */
  readonly isMeasured: boolean;
};

/** Reads `KEEP`, `keep ✓`, `**kept** (best)`; null for a sentence. */
export function readVerdict(field: string, heading: string): ReadVerdict | null {
  const text = field.trim();
  if (text.length > MAX_WORD_CHARACTERS) return null;
  const of = (word: VerdictWord, isMeasured = word !== 'crash'): ReadVerdict => ({ word, text, isMeasured });
  if (ANSWER_HEADINGS.test(heading)) {
    const answer = ANSWERS.get(text.toLowerCase());
    if (answer) return of(answer);
  }
  const plain = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_?-]+/gu, ' ')
    .trim();
  const joined = plain.replace(/[\s-]+/g, '_');
  const whole = VERDICT_WORDS.get(joined);
  if (whole) return of(whole, whole !== 'crash' || MEASURED_CRASHES.test(joined));
  const tokens = plain.split(' ');
  const known = new Set(tokens.flatMap(token => VERDICT_WORDS.get(token) ?? []));
  const first = VERDICT_WORDS.get(tokens[0] ?? '');
  // "keep (best)" is a keep, but "discard (crash)" and "keep?" are not certain.
  const isPlain = known.size === 1 && !tokens.some(token => /^(?:not|no|never|maybe)$/.test(token));
  return of(first && isPlain ? first : 'other', !first || first !== 'crash');
}
