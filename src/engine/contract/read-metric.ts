import type { Goal } from '../../shared/contract/contract.ts';
import { directionOf } from '../../shared/contract/metric-direction.ts';
import type { Claim } from './claims.ts';
import {
  clausesOf,
  codeSpans,
  type Document,
  holdsWord,
  type Passage,
  readPassages,
  sourceOf,
} from './document.ts';

/** A name as it appears in output: no sentence, at most 64 characters. */
const NAME = /^[\p{L}_][\p{L}\p{N}\p{M}_.\-/%@+*]{0,63}$/u;
/** Names that appear in the same places but are not metrics. */
const NO_METRIC =
  /^(?:metric|metrics|name|value|number|description|commit|hash|id|iteration|iter|experiment|exp|run|run_id|round|step|n|tag|date|time|timestamp|model|branch|status|decision|verdict|keep|discard|crash|notes?|hypothesis|category|axis|delta|guard|memory_gb|memory|\w*_(?:type|kind|id|name|tag|pass)|correctness|guard|error|traceback|none|n\/a|the|lower|higher|primary|secondary|results?\.tsv|[\w-]+\.(?:py|md|tsv|csv|json|jsonl|sh|log|txt|yaml|toml))$/i;

function isMetricName(name: string): boolean {
  return NAME.test(name) && !isOtherThanMetric(name);
}

/** Whether a name alone shows that it is not a result: `number`, `commit`. */
export function isOtherThanMetric(name: string): boolean {
  return NO_METRIC.test(name);
}

/**
 * Where the name was found: a tool reads it, a sentence says it, a command asks for it alone, first, or with others,
 * a column of the table, the first line of a printed example.
 */
export type MetricClaim = Claim<string> & {
  readonly kind: 'named' | 'said' | 'asked' | 'asked first' | 'asked too' | 'column' | 'printed';
};

/** Strength of a name that is written as code, or is no ordinary word; then of a word of the language. */
export const LITERAL = 2;
const WORD = 1;

/** Reads which number counts, according to a text. */
export function readMetrics(document: Document): readonly MetricClaim[] {
  const passages = readPassages(document);
  const claims: MetricClaim[] = [];
  let isBlock = false;
  for (const [index, passage] of passages.entries()) {
    const before = passages[index - 1];
    const add = (value: string | undefined, kind: MetricClaim['kind'], strength: number = LITERAL) => {
      const name = value?.replace(/[*:,.;]+$/, '').replace(/^\*+/, '');
      if (name !== undefined && isMetricName(name))
        claims.push({ value: name, source: sourceOf(document, passage.line), strength, kind });
    };
    const asked = readGrep(passage.text);
    add(asked[0], asked.length > 1 ? 'asked first' : 'asked');
    for (const name of asked.slice(1)) add(name, 'asked too');
    add(readColumns(passage.text)[0], 'column');
    if (passage.kind !== 'code') {
      isBlock = false;
      const named = readPrimary(passage);
      add(named, 'named');
      // The first item of a list of priorities.
      if (passage.kind === 'item' && before?.kind !== 'item' && /\bpriorit/i.test(passage.lead))
        add(/^`([^`]{1,64})`/.exec(passage.text)?.[1], 'said');
      // "The goal is to maximize the number printed as:", and below it `name=…`.
      if (GOAL_WORD.test(passage.lead))
        add(/^`([^`\s=:]{1,64})\s*[=:][^`]{0,20}`$/.exec(passage.text)?.[1], 'said');
      // The beginning of a paragraph below "Metric".
      if (/^(?:the |key |main |target )?metric:?$/i.test(passage.heading) && passage.kind !== 'heading')
        add(/^(?:\*\*)?`([^`]{1,64})`/.exec(passage.text)?.[1], 'said');
      if (named === undefined)
        for (const { name, isLiteral } of readGoal(passage)) add(name, 'said', isLiteral ? LITERAL : WORD);
      continue;
    }
    // The first line of a printed summary; the lines below it are other numbers.
    if (RANKED.test(passage.lead)) add(FORMULA.exec(passage.text)?.[1], 'said');
    const isFirst = before?.kind !== 'code' || /^-{3,}$/.test(before.text);
    if (readBetter(passage.text) !== null) add(/^(\S{1,64})\s/.exec(passage.text)?.[1], 'said');
    const pair = /^(?:METRIC\s+)?([^\s:=]{1,64})\s*[:=]\s*[-+]?[\d.]+(?:\s|$|%)/.exec(passage.text);
    if (isFirst && pair && !isBlock) add(pair[1], 'printed');
    isBlock = isBlock || pair !== null;
  }
  return claims;
}

/** The names a `grep "^name:\|^other:"` looks for. */
function readGrep(text: string): readonly string[] {
  const pattern = /\bgrep\s+(?:-\w+\s+)*(["'])([^"']{1,300})\1/.exec(text)?.[2];
  if (pattern === undefined) return [];
  return pattern
    .split(/\\?\|/)
    .map(part => /^\(?\^?(?:METRIC )?([^\s\\^$()[\]:=]{1,64})\s*[:=]/.exec(part.trim())?.[1])
    .filter(name => name !== undefined);
}

/** The columns of a results table that may be a metric, if a line is the table's heading. */
function readColumns(text: string): readonly string[] {
  const heading = codeSpans(text).find(span => /\t|\\t/.test(span)) ?? text;
  const cells = heading
    .replace(/^.*echo\s+(?:-e\s+)?/, '')
    .replace(/["'].*$/, match => match.slice(1).replace(/["'].*$/, ''))
    .split(/\s*(?:\t|\\t)\s*/)
    .map(cell => cell.trim());
  if (cells.length < 3 || !cells.some(cell => /^(?:status|decision|description)$/i.test(cell))) return [];
  return cells.filter(isMetricName);
}

const GOAL_WORD = /\b(?:goal|objective|primary|metric|optimi[sz]e|target metric|key metric|score to)\b/i;

/** "Rank experiments by:" and below it `score = drift + 0.1 * cost`. */
const RANKED = /\b(?:rank|scored?|judged?|compared?|select)\b.*\bby:?$/i;
const FORMULA = /^([\p{L}_][\p{L}\p{N}_]{0,63})\s*=\s*(?=.*\p{L})/u;

type Said = { readonly name: string; readonly isLiteral: boolean };

/** pi-autoresearch's "Primary: `name` (unit, lower is better)", and other lines that only name the metric. */
function readPrimary({ text, heading, kind }: Passage): string | undefined {
  if (kind === 'heading') return undefined;
  const plain = text.replaceAll('**', '');
  const found =
    /^(?:the )?(?:primary(?: metric)?|metric)(?: name| from `[^`]{1,40}`)?\s*[:—–]\s*(?:`([^`]{1,64})`|([^\s`(,;]{1,64})(\s*\(|\s*$)?)/i.exec(
      plain,
    );
  if (found?.[1] !== undefined) return found[1];
  if (found?.[2] !== undefined)
    return looksLikeName(found[2]) || found[3] !== undefined ? found[2] : undefined;
  const isUnderPrimary = /\bprimary\b/i.test(heading) && /\bmetric/i.test(heading);
  const first = isUnderPrimary ? /^(?:`([^`]{1,64})`|\*\*`?([^*`]{1,64})`?\*\*)/.exec(text) : null;
  return first?.[1] ?? first?.[2];
}

/** The metric's names in a sentence about the goal. */
function readGoal({ text, heading }: Passage): readonly Said[] {
  const plain = text.replaceAll('**', '');
  if (/\bsecondary\b/i.test(`${heading} ${plain.slice(0, 40)}`)) return [];
  return clausesOf(plain).flatMap(clause => {
    if (/\b(?:not|never|don['’]t)\b/i.test(clause)) return [];
    const isGoal =
      GOAL_WORD.test(clause) || /^\W*(?:maximi[sz]e|minimi[sz]e|lower|raise|get the)\b/i.test(clause);
    if (readBetter(clause) !== null) {
      const name = /^\W*`([^`]{1,64})`/.exec(clause)?.[1];
      if (name !== undefined) return [{ name, isLiteral: true }];
    }
    const chinese = /(?:目标|指标)[^`]{0,20}`([^`]{1,64})`/.exec(clause)?.[1];
    if (chinese !== undefined) return [{ name: chinese, isLiteral: true }];
    return isGoal ? [readNamed(clause), readSuperlative(clause)].filter(said => said !== null) : [];
  });
}

/** "The metric is `x`", "Metric: x", "Metric name: `x`". */
function readNamed(clause: string): Said | null {
  const found = /\bmetric(?: name)?\s*(?:is|:|=|—|–)\s*(?:the )?(?:`([^`]{1,64})`|([^\s`(,;]{1,64}))/i.exec(
    clause,
  );
  const name = found?.[1] ?? found?.[2];
  return name === undefined || (found?.[1] === undefined && !looksLikeName(name))
    ? null
    : { name, isLiteral: found?.[1] !== undefined };
}

/** "get the lowest val_bpb", "maximize the `score`", "get the highest score." */
function readSuperlative(clause: string): Said | null {
  const rest =
    /\b(?:lowest|highest|best|minimi[sz](?:e|es|ing)|maximi[sz](?:e|es|ing)|lower|raise|optimi[sz](?:e|es|ing))\s+(?:the\s+|your\s+)?(.*)$/i.exec(
      clause,
    )?.[1];
  if (rest === undefined) return null;
  const quoted = /^(?:[\w-]+\s+){0,3}`([^`]{1,64})`/.exec(rest)?.[1];
  if (quoted !== undefined) return { name: quoted, isLiteral: true };
  const name = /^([^\s`(,;]{1,64})/.exec(rest)?.[1]?.replace(/[.*:]+$/, '') ?? '';
  const next = rest.slice(name.length, name.length + 2);
  // An ordinary English word is the metric only if the sentence ends with it.
  const isNamed = looksLikeName(name) || /^[.*:!]/.test(next) || next === '';
  return isNamed ? { name, isLiteral: /_/.test(name) } : null;
}

function looksLikeName(word: string): boolean {
  return /[_@\d/]|\p{Ll}\p{Lu}/u.test(word.replace(/[.:,]+$/, ''));
}

const LESS = /^(?:lowest|lower|minimi[sz]\w*|smallest|smaller|fewest|fewer|shortest|fastest)$/i;
const MORE = /^(?:highest|higher|maximi[sz]\w*|largest|larger|greatest|greater|biggest)$/i;

/**
 * Reads whether a low or a high metric is better, from sentences about the goal, about keeping or about being better.
 * Other sentences report findings, and are not rules.
 */
export function readDirections(document: Document, metric: string): readonly Claim<Goal>[] {
  const claims: Claim<Goal>[] = [];
  const spoken = metric.replaceAll(/[_-]/g, ' ').toLowerCase();
  for (const { text, line, heading } of readPassages(document)) {
    const plain = text.replaceAll(/[*`]/g, '');
    const lower = plain.toLowerCase();
    if (!holdsWord(lower, metric.toLowerCase()) && !lower.includes(spoken)) continue;
    const source = sourceOf(document, line);
    const own = ownPart(text, metric);
    const better =
      readBetter(own) ??
      (/\bgrep\b|\bprimary\b|\bmetric\b/i.test(`${plain} ${heading}`) ? readBracket(own) : null);
    if (better !== null) {
      claims.push({ value: better, source, strength: 2 });
      continue;
    }
    for (const clause of clausesOf(plain)) {
      if (
        !/\b(?:goal|objective|get the|improved?|advance|optimi|minimi|maximi)/i.test(clause) &&
        !/^\W*(?:lower|raise)\b/i.test(clause)
      )
        continue;
      const value = readBefore(clause.toLowerCase(), metric.toLowerCase(), spoken) ?? readImproved(clause);
      if (value !== null) claims.push({ value, source, strength: 2 });
    }
  }
  return claims;
}

/**
 * The part of a text that is about this metric: from its name to the next name marked as code, if it is marked so
 * itself.
 */
function ownPart(text: string, metric: string): string {
  const names = [...text.matchAll(/`([^`]{1,64})`/g)];
  const own = names.findIndex(([, name]) => name === metric);
  const next = names.slice(own + 1).find(([, name]) => looksLikeName(name ?? '') && name !== metric);
  const isOther = own >= 0 && next !== undefined;
  return (isOther ? text.slice(0, next.index) : text).replaceAll(/[*`]/g, '');
}

/** Reads the direction from sentences that do not name the metric and are only about the goal. */
export function readGeneralDirections(document: Document): readonly Claim<Goal>[] {
  return readPassages(document).flatMap(({ text, line, heading }) => {
    const plain = text.replaceAll(/[*`]/g, '');
    const isOfGoal = /\b(?:objective|goal|metric|scor|fitness|evaluation)/i.test(heading);
    const told = clausesOf(plain).flatMap(clause => {
      const labelled = /^direction\s*[:=]\s*(\w+)/i.exec(clause)?.[1];
      if (labelled !== undefined) return [toGoal(labelled)];
      if (/^(?:lower|higher)\s*(?:is|=)\s*better\b/i.test(clause))
        return isOfGoal ? [readBetter(clause)] : [];
      return /\b(?:goal|objective)\b/i.test(clause)
        ? [toGoal(/\b(maximi[sz]e|minimi[sz]e|highest|lowest)\b/i.exec(clause)?.[1] ?? '')]
        : [];
    });
    return told
      .filter(goal => goal !== null)
      .map(value => ({ value, source: sourceOf(document, line), strength: 1 }));
  });
}

/** The direction that a name alone implies, as a claim. */
export function directionByName(metric: string): readonly Claim<Goal>[] {
  const value = directionOf(metric);
  return value === null ? [] : [{ value, source: `the name ${metric}`, strength: 1 }];
}

/** "lower is better", "higher = better". */
function readBetter(text: string): Goal | null {
  if (/越[高大]越好/.test(text)) return 'maximize';
  if (/越[低小]越好/.test(text)) return 'minimize';
  const word = /\b(\w+)\s*(?:is|are|=|→|->|means)\s*(?:always )?better\b/i.exec(text)?.[1] ?? '';
  return toGoal(word);
}

/** "(maximize)", "(lower)", "(ms, higher …". */
function readBracket(text: string): Goal | null {
  const words = /\(([^()]{1,40})\)/.exec(text)?.[1]?.split(/[\s,]+/) ?? [];
  const goals = new Set(words.map(toGoal).filter(goal => goal !== null));
  const [only] = goals;
  return goals.size === 1 && only !== undefined ? only : null;
}

/** "If it improved (higher than …)", "improved (lower)". */
function readImproved(clause: string): Goal | null {
  return toGoal(/\bimproved?\s*\(\s*(\w+)/i.exec(clause)?.[1] ?? '');
}

/** The nearest word of direction among the four before the metric. */
function readBefore(clause: string, metric: string, spoken: string): Goal | null {
  const name = clause.includes(metric) ? metric : spoken;
  const words = clause
    .slice(0, Math.max(0, clause.indexOf(name)))
    .trim()
    .split(/[\s,]+/)
    .slice(-4)
    .reverse();
  for (const word of words) {
    if (word === 'raise') return 'maximize';
    const goal = toGoal(word.replace(/[^\p{L}]/gu, ''));
    if (goal !== null) return goal;
  }
  return null;
}

function toGoal(word: string): Goal | null {
  if (LESS.test(word)) return 'minimize';
  return MORE.test(word) ? 'maximize' : null;
}
