import type { Claim } from './claims.ts';
import { clausesOf, type Document, readPassages, sourceOf, withoutEscapes } from './document.ts';
import { isOtherThanMetric } from './read-metric.ts';

/** What comes before the goal where a sentence tells it in words. */
const GOAL =
  /\b(?:maximi[sz]e|minimi[sz]e|highest|lowest|optimi[sz]e for|(?:primary|main) (?:optimi[sz]ation )?(?:target|metric|objective)(?: is|:))\s+(?:the\s+|your\s+)?(\p{L}[\p{L}\p{N}_@-]*(?: \p{L}[\p{L}\p{N}_@-]*){0,3})/iu;

/**
 * The number that a text tells in words, "the Sharpe ratio", by the name that the code prints for it, `Sharpe Ratio: …`: only
 * where one name is spelled so, but for capitals and what stands between its words.
 */
export function readToldMetric(texts: readonly Document[], code: readonly Document[]): Claim<string> | null {
  const found = new Map<string, Claim<string>>();
  for (const text of texts) {
    for (const { kind, text: passage, line } of readPassages(text)) {
      if (kind === 'code') continue;
      for (const clause of clausesOf(passage.replaceAll(/[*`]/g, ''))) {
        const goal = GOAL.exec(clause);
        if (!goal || /\b(?:not|never|secondary)\b|n['’]t\b/i.test(clause.slice(0, goal.index))) continue;
        for (const { value, source } of printedFor(goal[1] ?? '', code))
          found.set(value, { value, source: `${sourceOf(text, line)}, ${source}`, strength: 1 });
      }
    }
    // A README is heard where the program says nothing.
    if (found.size > 0) break;
  }
  const [only] = found.values();
  return found.size === 1 && only ? only : null;
}

/** The names printed for as many of the first words as are one. */
function printedFor(words: string, code: readonly Document[]): readonly Claim<string>[] {
  const all = words.split(' ').filter(Boolean);
  for (let count = all.length; count > 0; count -= 1) {
    const names = namesLike(all.slice(0, count), code);
    if (names.length > 0) return names;
  }
  return [];
}

function namesLike(words: readonly string[], code: readonly Document[]): readonly Claim<string>[] {
  // Letters, digits, `_`, `@` and `-` are nothing special in a pattern.
  const name = new RegExp(
    String.raw`(?<![\p{L}\p{N}_]|[\p{L}\p{N}] )(${words.join('[ _-]?')})\s{0,16}[:=](?!=)`,
    'iu',
  );
  const found = new Map<string, Claim<string>>();
  for (const document of code) {
    for (const [index, line] of document.lines.entries()) {
      const match = name.exec(withoutEscapes(line));
      const value = match?.[1];
      if (!match || value === undefined || found.has(value) || isOtherThanMetric(value)) continue;
      if (!isQuoted(line.slice(0, match.index))) continue;
      found.set(value, { value, source: sourceOf(document, index + 1), strength: 1 });
    }
  }
  return [...found.values()];
}

/** Whether what follows stands in a string, as far as one line tells. */
function isQuoted(before: string): boolean {
  return ['"', "'", '`'].some(mark => before.split(mark).length % 2 === 0);
}
