import { findColumn, NONE, OPERATORS, readTokens, type Token } from './filter-language.ts';
import type { Column } from './table-columns.ts';

export type Suggestion = {
  /** Replaces the text from `from` to `to`. */
  readonly text: string;
  readonly detail: string;
  readonly from: number;
  readonly to: number;
};

const MOST = 8;
const JOINS = ['and', 'or', 'not'];

/** What an operator does, in words. */
const OPERATOR_WORDS: Readonly<Record<string, string>> = {
  '=': 'is',
  '!=': 'is not',
  '<': 'below',
  '<=': 'at most',
  '>': 'above',
  '>=': 'at least',
  '~': 'has in it',
  '!~': 'has not in it',
};

/**
 * What may be written at the caret: names of columns, behind a name operators, behind an operator the column's values.
 * @param valuesOf words that a column holds, most frequent first
 */
export function suggest(
  text: string,
  caret: number,
  columns: readonly Column[],
  valuesOf: (column: Column) => readonly string[],
): readonly Suggestion[] {
  const before = readTokens(text.slice(0, caret));
  const last = before.at(-1);
  const isInside = last !== undefined && last.to === caret && last.kind === 'word';
  const written = isInside ? last.text.toLowerCase() : '';
  const place = { from: isInside ? last.from : caret, to: isInside ? wordEnd(text, caret) : caret };
  const done = isInside ? before.slice(0, -1) : before;
  const previous = done.at(-1);
  const offer = (options: readonly (readonly [string, string])[]) =>
    options
      .filter(([option]) => option.toLowerCase().includes(written))
      // What begins with it is what is meant.
      .sort(
        ([a], [b]) =>
          Number(b.toLowerCase().startsWith(written)) - Number(a.toLowerCase().startsWith(written)),
      )
      .slice(0, MOST)
      .map(([option, detail]) => ({ text: option, detail, ...place }));
  if (previous?.kind === 'operator') {
    const column = findColumn(columns, done.at(-2)?.text ?? '');
    return column ? offer(valueOptions(column, valuesOf)) : [];
  }
  const named = isNameOf(columns, done) ? findColumn(columns, previous?.text ?? '') : undefined;
  if (named && !isInside) {
    const fitting = OPERATORS.filter(operator => named.holds !== 'words' || !/[<>]/.test(operator));
    return offer(fitting.map(operator => [operator, OPERATOR_WORDS[operator] ?? '']));
  }
  const names = columns.map(
    ({ id, hint, label }) => [quoteName(id), hint ?? (label === id ? '' : label)] as const,
  );
  const joins = previous && !JOINS.includes(previous.text.toLowerCase()) ? JOINS : ['not'];
  const isBegun = written !== '' || previous === undefined || isJoin(previous);
  return offer([...(isBegun ? names : []), ...joins.map(word => [word, ''] as const)]);
}

function isJoin({ kind, text }: Token): boolean {
  return text === '(' || (kind === 'word' && JOINS.includes(text.toLowerCase()));
}

/** Whether the last token is a column's name, and not a value after an operator. */
function isNameOf(columns: readonly Column[], tokens: readonly Token[]): boolean {
  const [operator, name] = [tokens.at(-2), tokens.at(-1)];
  return name !== undefined && operator?.kind !== 'operator' && findColumn(columns, name.text) !== undefined;
}

function valueOptions(
  column: Column,
  valuesOf: (column: Column) => readonly string[],
): readonly (readonly [string, string])[] {
  const values = column.holds === 'numbers' ? [] : valuesOf(column);
  return [...values.map(value => [quoteName(value), ''] as const), [NONE, 'nothing there'] as const];
}

/** Quoted as a filter requires. */
export function quoteName(name: string): string {
  return /^[^\s()=<>~!"]+$/.test(name) ? name : `"${name.replaceAll('"', '')}"`;
}

function wordEnd(text: string, caret: number): number {
  return caret + (/^[^\s()=<>~!"]*/.exec(text.slice(caret))?.[0].length ?? 0);
}
