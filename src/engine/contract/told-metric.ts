import type { Claim } from './claims.ts';
import { clausesOf, type Document, readPassages, sourceOf, withoutEscapes } from './document.ts';
import { isOtherThanMetric } from './read-metric.ts';

/** What comes before the goal in a sentence that describes it in words. */
const GOAL =
  /\b(?:maximi[sz]e|minimi[sz]e|highest|lowest|optimi[sz]e for|(?:primary|main) (?:optimi[sz]ation )?(?:target|metric|objective)(?: is|:))\s+(?:the\s+|your\s+)?(\p{L}[\p{L}\p{N}_@-]*(?: \p{L}[\p{L}\p{N}_@-]*){0,3})/iu;
/** "If the j_index has not improved": the metric is what has to improve. */
const IMPROVED =
  /\b(?:if|when|unless) (?:the )?([\p{L}\p{N}_@-]{2,64}) (?:has |is )?(?:not )?improve[sd]?\b/iu;

/** A name in a string, before the value printed for it. */
const PRINTED = /(\p{L}[\p{L}\p{N}_@%-]{0,63}(?: [\p{L}\p{N}_@%-]{1,64}){0,3})\s{0,16}[:=](?!=)/gu;

/** Only this many printed names are read, in all and on one line. */
const MAX_NAMES = 2_000;
const MAX_NAMES_OF_LINE = 16;

/** Printed names, by their words in lower case with a space between. */
type Printed = ReadonlyMap<string, readonly Claim<string>[]>;

/**
 * Finds the number that a text describes in words, like "the Sharpe ratio", by the name that the code prints, like
 * `Sharpe Ratio: …`. Only if exactly one printed name has these words; capitals and what separates the words may
 * differ.
 */
export function readToldMetric(text: Document, code: readonly Document[]): Claim<string> | null {
  const printed = readPrinted(code);
  const found = new Map<string, Claim<string>>();
  for (const { kind, text: passage, line } of readPassages(text)) {
    if (kind === 'code') continue;
    for (const clause of clausesOf(passage.replaceAll(/[*`]/g, ''))) {
      const goal = GOAL.exec(clause) ?? IMPROVED.exec(clause);
      if (!goal || /\b(?:not|never|secondary)\b|n['’]t\b/i.test(clause.slice(0, goal.index))) continue;
      for (const { value, source } of printedFor(goal[1] ?? '', printed))
        if (!found.has(value))
          found.set(value, { value, source: `${sourceOf(text, line)}, ${source}`, strength: 1 });
    }
  }
  const [only] = found.values();
  return found.size === 1 && only ? only : null;
}

/**
 * The names printed for the longest run of first words that is one; none if a printed name goes on where these words
 * end.
 */
function printedFor(told: string, printed: Printed): readonly Claim<string>[] {
  const words = wordsOf(told);
  for (let count = words.length; count > 0; count -= 1) {
    const key = words.slice(0, count).join(' ');
    const names = printed.get(key);
    if (!names) continue;
    const isHalf = count < words.length && [...printed.keys()].some(other => other.startsWith(`${key} `));
    return isHalf ? [] : names;
  }
  return [];
}

function readPrinted(code: readonly Document[]): Printed {
  const printed = new Map<string, Claim<string>[]>();
  for (const document of code) {
    for (const [index, raw] of document.lines.entries()) {
      if (printed.size >= MAX_NAMES) return printed;
      const line = withoutEscapes(raw);
      if (!/["'`]/.test(line)) continue;
      let count = 0;
      for (const { 1: value = '', index: at } of line.matchAll(PRINTED)) {
        count += 1;
        if (count > MAX_NAMES_OF_LINE) break;
        if (isOtherThanMetric(value) || !isQuoted(line.slice(0, at))) continue;
        const key = wordsOf(value).join(' ');
        const names = printed.get(key) ?? [];
        if (names.some(name => name.value === value)) continue;
        names.push({ value, source: sourceOf(document, index + 1), strength: 1 });
        printed.set(key, names);
      }
    }
  }
  return printed;
}

function wordsOf(name: string): readonly string[] {
  return name
    .toLowerCase()
    .split(/[ _-]+/)
    .filter(Boolean);
}

/** Whether the text that follows is inside a string, as far as one line shows. */
function isQuoted(before: string): boolean {
  return ['"', "'", '`'].some(mark => before.split(mark).length % 2 === 0);
}
