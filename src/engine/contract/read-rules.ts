import type { Finding } from '../../shared/contract/findings.ts';
import type { StopRules } from '../../shared/contract/stop-rules.ts';
import type { Claim } from './claims.ts';
import { clausesOf, type Document, readPassages, sourceOf } from './document.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
/** The largest value that a contract may have; see `contractFileSchema`. */
const MAX_SECONDS = 2_000_000;
const DURATION =
  /(?<![\w.])(\d{1,6}(?:\.\d{1,3})?)[\s-]*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b/i;

/** Seconds in `TIME_BUDGET = 300`, `5 * 60`, `3e2`; any other expression is not guessed at. */
export function readBudgetConstant(document: Document): readonly Claim<number>[] {
  return document.lines.flatMap((text, index) => {
    const value =
      /^TIME_BUDGET(?:_S(?:EC(?:OND)?S?)?)?\s*(?::\s*\w+\s*)?=\s*([\d_.eE+* ]{1,60}?)\s*(?:#.*)?$/.exec(
        text,
      )?.[1];
    const seconds = value === undefined ? Number.NaN : product(value);
    return seconds > 0 && seconds <= MAX_SECONDS
      ? [{ value: seconds, source: sourceOf(document, index + 1), strength: 2 }]
      : [];
  });
}

function product(text: string): number {
  return text
    .split('*')
    .map(factor => (factor.trim() === '' ? Number.NaN : Number(factor.replaceAll('_', ''))))
    .reduce((all, factor) => all * factor, 1);
}

/** How many seconds an experiment trains, according to a text. */
export function readBudget(document: Document): readonly Claim<number>[] {
  return readPassages(document).flatMap(({ text, line }) => {
    const clause = clausesOf(text.replaceAll('*', '')).find(
      part =>
        /\bbudget\b|\btime limit\b/i.test(part) &&
        !/\btoken|\bcost|\$|\bparam/i.test(part) &&
        DURATION.test(part),
    );
    const seconds = clause === undefined ? null : readDuration(clause);
    return seconds === null ? [] : [{ value: seconds, source: sourceOf(document, line), strength: 1 }];
  });
}

function readDuration(text: string): number | null {
  const [, count = '', unit = ''] = DURATION.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit[0]?.toLowerCase() ?? ''] ?? Number.NaN);
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds : null;
}

export type Rules = { readonly stop: StopRules; readonly findings: readonly Finding[] };

/** Nobody reads a longer list of rules. */
const SHOWN_RULES = 12;
const SHOWN_CHARACTERS = 160;
/** "Do not modify." is about the sentence before it, and is read with that. */
const LEAST_CHARACTERS = 20;

/** When a text says to stop, and what it forbids. Pawl follows the first and shows the second. */
export function readRules(document: Document): Rules {
  const findings: Finding[] = [];
  let stop: StopRules = {};
  let rules = 0;
  for (const { text, line, kind } of readPassages(document)) {
    if (kind === 'code' || kind === 'heading') continue;
    const source = sourceOf(document, line);
    for (const clause of clausesOf(text.replaceAll('**', ''))) {
      const found = readStop(clause);
      if (found !== null && stop[found.rule] === undefined) {
        stop = { ...stop, [found.rule]: found.value };
        findings.push({ name: 'stop', value: `after ${found.value} ${found.rule}`, source });
      }
      if (
        rules < SHOWN_RULES &&
        clause.length >= LEAST_CHARACTERS &&
        /^\W*(?:never|do not|don'?t)\b/i.test(clause)
      ) {
        rules += 1;
        const value = clause.length > SHOWN_CHARACTERS ? `${clause.slice(0, SHOWN_CHARACTERS)}…` : clause;
        findings.push({ name: 'rules', value, source });
      }
    }
  }
  return { stop, findings };
}

/** "Stop after 50 experiments", "stop automatically after exactly 6 experiments", "stop after 8 hours". */
function readStop(clause: string): { readonly rule: 'experiments' | 'hours'; readonly value: number } | null {
  if (
    !/^\W*(?:stop|end|finish)\b|\bthen stop\b|\b(?:you|must|should|,) stop\b/i.test(clause) ||
    /\bnot stop\b|\bnever stop\b/i.test(clause)
  )
    return null;
  const [, count = '', unit = ''] =
    /\bafter (?:exactly |at most |about )?(\d{1,5}) (experiments|iterations|runs|hours)\b/i.exec(clause) ??
    [];
  const value = Number(count);
  // "N runs in a row without …" is another rule.
  if (!(value > 0) || /\bconsecutive|\bin a row|\bwithout\b|\bno improvement/i.test(clause)) return null;
  return { rule: unit.toLowerCase() === 'hours' ? 'hours' : 'experiments', value };
}
