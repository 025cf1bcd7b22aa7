import type { Column, Row, Value } from './table-columns.ts';

/** An error in a filter, and its position in the text. */
export type FilterProblem = { readonly message: string; readonly from: number; readonly to: number };

export type Predicate = (row: Row) => boolean;
export type ParsedFilter =
  | { readonly kind: 'ok'; readonly matches: Predicate }
  | { readonly kind: 'wrong'; readonly problem: FilterProblem };

export const OPERATORS = ['=', '!=', '<', '<=', '>', '>=', '~', '!~'] as const;
export type Operator = (typeof OPERATORS)[number];
const ORDERS: readonly Operator[] = ['<', '<=', '>', '>='];
/** The value of a column that has none. */
export const NONE = 'none';

export type Token = {
  readonly kind: 'word' | 'quoted' | 'operator' | 'bracket';
  /** For a quoted token, the text between the quotes. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
};

class Wrong extends Error {
  readonly problem: FilterProblem;

  constructor(message: string, { from, to }: Pick<Token, 'from' | 'to'>) {
    super(message);
    this.problem = { message, from, to };
  }
}

const TOKEN =
  /\s+|(?<operator>!=|<=|>=|!~|[=<>~])|(?<bracket>[()])|"(?<quoted>[^"]*)"|(?<word>[^\s()=<>~!"]+)|./gsu;

/** Throws {@link Wrong} at a character that cannot begin a token. */
function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const at = { from: match.index, to: match.index + match[0].length };
    const [kind, own] = Object.entries(match.groups ?? {}).find(([, part]) => part !== undefined) ?? [];
    if (kind !== undefined && own !== undefined)
      tokens.push({ kind: kind as Token['kind'], text: own, ...at });
    else if (match[0] === '"') throw new Wrong('A quotation mark is not closed.', { ...at, to: text.length });
    else if (match[0].trim() !== '') throw new Wrong(`“${match[0]}” means nothing here.`, at);
  }
  return tokens;
}

/** The tokens of a text that may be unfinished. */
export function readTokens(text: string): readonly Token[] {
  try {
    return tokensOf(text);
  } catch {
    return [];
  }
}

/**
 * Reads a filter: comparisons (`val_bpb < 0.97`, `verdict = keep`, `hypothesis ~ "warm up"`) and words to look for, joined by `and`
 * (which may be left out), `or`, `not` and brackets. Names and words are compared without regard to case. An empty one lets
 * everything through.
 */
export function parseFilter(text: string, columns: readonly Column[]): ParsedFilter {
  try {
    const reader = new Reader(text, columns);
    return { kind: 'ok', matches: reader.read() };
  } catch (error) {
    if (error instanceof Wrong) return { kind: 'wrong', problem: error.problem };
    throw error;
  }
}

class Reader {
  readonly #text: string;
  readonly #columns: readonly Column[];
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string, columns: readonly Column[]) {
    this.#text = text;
    this.#columns = columns;
    this.#tokens = tokensOf(text);
  }

  read(): Predicate {
    if (this.#tokens.length === 0) return () => true;
    const found = this.#either();
    const rest = this.#next();
    if (rest) throw new Wrong(`“${rest.text}” closes no bracket.`, rest);
    return found;
  }

  #either(): Predicate {
    const parts = [this.#both()];
    while (this.#takeWord('or')) parts.push(this.#both());
    return parts.length === 1 && parts[0] ? parts[0] : row => parts.some(matches => matches(row));
  }

  #both(): Predicate {
    const parts = [this.#one()];
    for (;;) {
      const isJoined = this.#takeWord('and');
      const next = this.#next();
      if (!isJoined && (!next || isWord(next, 'or') || next.text === ')')) break;
      parts.push(this.#one());
    }
    return parts.length === 1 && parts[0] ? parts[0] : row => parts.every(matches => matches(row));
  }

  #one(): Predicate {
    const token = this.#take();
    if (!token) throw new Wrong('Something is missing at the end.', this.#end());
    if (isWord(token, 'not')) {
      const matches = this.#one();
      return row => !matches(row);
    }
    if (token.kind === 'bracket') return this.#bracketed(token);
    if (token.kind === 'operator')
      throw new Wrong(`Write the name of a column before “${token.text}”.`, token);
    if (isWord(token, 'and') || isWord(token, 'or')) {
      throw new Wrong(`Something is missing before “${token.text}”.`, token);
    }
    const operator = this.#next();
    if (operator?.kind !== 'operator') return this.#lookFor(token);
    this.#at += 1;
    return this.#compare(token, operator.text as Operator, operator);
  }

  #lookFor(token: Token): Predicate {
    const column = token.kind === 'word' ? findColumn(this.#columns, token.text) : undefined;
    if (!column) return lookFor(token.text);
    throw new Wrong(
      `Write what ${column.id} is compared with, or "${token.text}" in quotation marks to look for the word.`,
      token,
    );
  }

  #bracketed(token: Token): Predicate {
    if (token.text === ')') throw new Wrong('“)” closes no bracket.', token);
    const found = this.#either();
    if (this.#take()?.text !== ')') throw new Wrong('A bracket is not closed.', token);
    return found;
  }

  #compare(name: Token, operator: Operator, sign: Token): Predicate {
    const column = findColumn(this.#columns, name.text);
    if (!column) throw new Wrong(unknownColumn(this.#columns, name.text), name);
    const value = this.#take();
    if (!value || value.kind === 'operator' || value.kind === 'bracket') {
      throw new Wrong(
        `Write a value after “${operator}”.`,
        value ?? { from: sign.from, to: this.#text.length },
      );
    }
    return comparison(column, operator, value);
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #take(): Token | undefined {
    this.#at += 1;
    return this.#tokens[this.#at - 1];
  }

  #takeWord(word: string): boolean {
    const next = this.#next();
    if (!next || !isWord(next, word)) return false;
    this.#at += 1;
    return true;
  }

  #end(): Pick<Token, 'from' | 'to'> {
    return { from: this.#text.length, to: this.#text.length };
  }
}

function isWord({ kind, text }: Token, word: string): boolean {
  return kind === 'word' && text.toLowerCase() === word;
}

/** By exact name, otherwise ignoring case; `metric` is the metric whatever its name is. */
export function findColumn(columns: readonly Column[], name: string): Column | undefined {
  const lower = name.toLowerCase();
  return (
    columns.find(({ id }) => id === name) ??
    columns.find(({ id }) => id.toLowerCase() === lower) ??
    columns.find(({ isMetric }) => isMetric && lower === 'metric')
  );
}

function unknownColumn(columns: readonly Column[], name: string): string {
  const lower = name.toLowerCase();
  const near = columns.find(({ id }) => id.toLowerCase().includes(lower) || lower.includes(id.toLowerCase()));
  return `There is no column “${name}”.${near ? ` Did you mean ${near.id}?` : ''}`;
}

function comparison(column: Column, operator: Operator, token: Token): Predicate {
  const { value } = column;
  if (operator === '~' || operator === '!~') {
    const wanted = token.text.toLowerCase();
    const has = (row: Row) =>
      String(value(row) ?? '')
        .toLowerCase()
        .includes(wanted);
    return operator === '~' ? has : row => !has(row);
  }
  if (isWord(token, NONE) && (operator === '=' || operator === '!=')) {
    return row => (value(row) === null) === (operator === '=');
  }
  const number = readNumber(token);
  if (column.holds === 'words' && ORDERS.includes(operator)) {
    throw new Wrong(`${column.id} holds words: compare them with = or !=, or look into them with ~.`, token);
  }
  if (number === null && (column.holds === 'numbers' || ORDERS.includes(operator))) {
    throw new Wrong(`“${token.text}” is no number, and ${column.id} is compared with numbers.`, token);
  }
  if (number !== null && column.holds !== 'words') return compareNumbers(value, operator, number);
  const wanted = token.text.toLowerCase();
  const isEqual = (row: Row) => String(value(row) ?? '').toLowerCase() === wanted;
  return operator === '=' ? isEqual : row => !isEqual(row);
}

/** `0.97`, `1e-3`, `80%` as 0.8, `#12` as 12. */
function readNumber({ kind, text }: Token): number | null {
  const match =
    kind === 'word' ? /^#?([+\-−]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)(%?)$/i.exec(text) : null;
  if (!match) return null;
  const number = Number(match[1]?.replaceAll('_', '').replace('−', '-'));
  return match[2] === '%' ? number / 100 : number;
}

/** A value without a number matches no comparison except `!=`. */
function compareNumbers(value: (row: Row) => Value, operator: Operator, wanted: number): Predicate {
  const tests: Readonly<Record<string, (own: number) => boolean>> = {
    '=': own => own === wanted,
    '<': own => own < wanted,
    '<=': own => own <= wanted,
    '>': own => own > wanted,
    '>=': own => own >= wanted,
  };
  const test = tests[operator];
  return row => {
    const own = value(row);
    if (!test) return own !== wanted;
    return typeof own === 'number' && test(own);
  };
}

/** Searches where a reader would look: in the number, and in everything shown as words. */
function lookFor(text: string): Predicate {
  const wanted = text.toLowerCase();
  const number = /^#(\d+)$/.exec(text)?.[1];
  if (number !== undefined) return ({ cell }) => cell.n === Number(number);
  return ({ cell, more }) =>
    [
      ...[cell.hypothesis, cell.category, cell.crash, cell.verdict?.word, cell.verdict?.reason],
      ...[more?.proposer, more?.model, ...cell.tags],
    ].some(part => part?.toLowerCase().includes(wanted));
}
