import { parseQuantity, type Quantity } from './number.ts';
import { parsePythonJson } from './python-json.ts';

/** A name and the text printed for it; `quantity` is null if that is not a number. */
export type Pair = { readonly name: string; readonly text: string; readonly quantity: Quantity | null };

/** Deeper objects are not results. */
const MAX_DEPTH = 8;
/** More pairs than this on one line are a table, not results. */
const MAX_PAIRS = 256;
const MAX_TEXT_CHARACTERS = 200;

/** A name of one word: `val_bpb`, `tok/sec`, `recall@1`, `total_µs`. */
const WORD = String.raw`[\p{L}_][\p{L}\p{N}_.\-/@%+*]{0,63}`;
/** A name of several words: `Sharpe Ratio`, `MEAN SHARPE (all windows)`. */
const NAME = String.raw`[\p{L}_][\p{L}\p{N}\p{M}_.\-/@%+*#()[\]²³ ]{0,63}?`;
/** Bullets, prompts and emphasis before a name. */
const LEAD = String.raw`\s{0,16}(?:[>*•\-#=✓✔→]{1,4}\s{1,4})?[*\x60"']{0,3}`;

const ALONE = new RegExp(
  String.raw`^${LEAD}(${NAME})[*\x60"']{0,3}\s{0,64}[:=](?![:=])\*{0,2}\s*(\S.*)$`,
  'u',
);
const METRIC = /^\s*METRIC\s+([^\s=][^\s=]{0,63})\s*=\s*(.+)$/;
const BENCHMARK = /^(Benchmark[^\s]{0,200}?)(?:-\d{1,4})?\s+\d+\s+(?=[\d.])/;
const BENCHMARK_VALUE = /([\d.]+(?:[eE][+-]?\d+)?)\s+([^\s\d][^\s]{0,63})/g;

/** The prefix of a logger: time, level, logger, rank, in any order. Each part is bounded. */
const LEVEL = '(?:DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL)';
const LOG_PART = new RegExp(
  [
    String.raw`\[?\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?\]?`,
    String.raw`\[?\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?\]?`,
    String.raw`[[(]?${LEVEL}\b[\])]?(?::[\w.]{1,60}:)?`,
    String.raw`[\w.]{1,60}(?= [-|] ${LEVEL}\b)`,
    String.raw`[IWEF]\d{4} \d{2}:\d{2}:\d{2}\.\d{6}\s{1,8}\d{1,20} [\w.\-/]{1,80}:\d{1,6}\]`,
    String.raw`\[(?:(?:[Rr]ank|RANK)\s?\d{1,5}\]:?|\d{1,5}\]:)`,
    String.raw`\((?:[\w ]{1,40} )?pid=\d{1,9}\)`,
    String.raw`\[[A-Za-z][\w.\-/]{0,60}(?::\d{1,6})?\](?=\[|\s)`,
    String.raw`[\w.]{1,60}:[\w.<>]{1,60}:\d{1,6}(?=\s)`,
  ]
    .map(form => `^${form}`)
    .join('|'),
);
const LOG_SEPARATOR = /^\s{0,12}(?:[-|:]\s{1,4})?/;
const MAX_LOG_PARTS = 6;

/** The text after a logger's prefix; the whole line if there is none. */
export function withoutLogPrefix(line: string): string {
  const start = line.trimStart();
  let text = start;
  for (let part = 0; part < MAX_LOG_PARTS; part += 1) {
    const match = LOG_PART.exec(text);
    if (!match) break;
    text = text.slice(match[0].length).replace(LOG_SEPARATOR, '');
  }
  return text === start ? line : text;
}

/** `METRIC name=value`, which counts wherever it appears; null for any other line. */
export function readMetricLine(line: string): Pair | null {
  const match = METRIC.exec(line);
  return match ? pairOf(match[1] ?? '', match[2] ?? '') : null;
}

/** A line that consists only of `name: value` or `name = value`; null for any other. */
export function readAlone(line: string): Pair | null {
  const match = ALONE.exec(line);
  // Dots before a colon are not part of the name: `http_reqs......: 4120`.
  return match ? pairOf((match[1] ?? '').trimEnd().replace(/\.{2,64}$/, ''), match[2] ?? '') : null;
}

/**
 * The numbers and words of a JSON object or a Python dict that is the whole line, by name; nested ones also by
 * `outer.inner`.
 */
export function readObject(line: string): readonly Pair[] | null {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return null;
  const value = parseObject(text);
  if (value === null) return null;
  const pairs = new Map<string, Pair>();
  const inner = new Map<string, Pair | null>();
  const visit = (object: object, outer: string, depth: number): void => {
    for (const [name, part] of Object.entries(object)) {
      if (pairs.size + inner.size >= MAX_PAIRS) return;
      if (typeof part === 'object' && part !== null) {
        if (depth < MAX_DEPTH && !Array.isArray(part)) visit(part, `${outer}${name}.`, depth + 1);
        continue;
      }
      pairs.set(`${outer}${name}`, pairOf(`${outer}${name}`, String(part)));
      // Without its path, a nested name is unique only if it occurs once.
      if (outer !== '') inner.set(name, inner.has(name) ? null : pairOf(name, String(part)));
    }
  };
  visit(value, '', 0);
  for (const [name, pair] of inner) if (pair && !pairs.has(name)) pairs.set(name, pair);
  return [...pairs.values()];
}

function parsePython(text: string): object | null {
  try {
    return JSON.parse(toJson(text)) as object;
  } catch {
    // In nested dicts it is unclear which name belongs where.
    return text.indexOf('{', 1) < 0 ? parseDict(text) : null;
  }
}

function parseObject(text: string): object | null {
  try {
    return parsePythonJson(text) as object;
  } catch {
    return parsePython(text);
  }
}

/** Words that Python writes and JSON does not have. */
const PYTHON_WORDS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

/** The JSON of a Python dict, as far as possible; NumPy writes a number as `np.float64(0.5)`. */
function toJson(text: string): string {
  return text
    .replaceAll(/'([^'"\\]{0,200})'/g, '"$1"')
    .replaceAll(/\b(?:np|numpy|jnp)\.\w{1,12}\(([-+.\w]{1,40})\)/g, '$1')
    .replaceAll(/\b(?:True|False|None)\b/g, word => PYTHON_WORDS[word] ?? word)
    .replaceAll(/(?<=[:[,]\s{0,4})(-?(?:nan|inf))\b/g, '"$1"');
}

const DICT_ENTRY =
  /(?:'([^'\\]{1,64})'|"([^"\\]{1,64})"):\s{0,4}(?:'([^'\\]{0,200})'|"([^"\\]{0,200})"|([\w.+-]{1,40}(?:\([\w.+-]{1,40}\))?)(?=[,}\s]))/g;

/** The flat entries of a Python dict; NumPy writes a number as `np.float64(0.5)`. */
function parseDict(text: string): object | null {
  const found: Record<string, string> = {};
  for (const [, single, double, quoted, doubly, bare] of text.matchAll(DICT_ENTRY)) {
    const value = quoted ?? doubly ?? bare?.replace(/^[\w.]+\(([^)]*)\)$/, '$1') ?? '';
    found[single ?? double ?? ''] = value;
    if (Object.keys(found).length >= MAX_PAIRS) break;
  }
  return Object.keys(found).length === 0 ? null : found;
}

/** A table row with two cells, a name and a number, as rich and Markdown draw it. */
export function readTableRow(line: string): Pair | null {
  if (!/^\s{0,16}[|│┃]/.test(line)) return null;
  const cells = line
    .split(/[|│┃]/, 6)
    .map(cell => cell.trim())
    .filter(cell => cell !== '');
  const [name = '', value = ''] = cells;
  if (cells.length !== 2 || !/^[*`"']{0,3}[\p{L}_]/u.test(name)) return null;
  const pair = pairOf(name.replaceAll(/[*`"']/g, ''), value);
  return pair.quantity === null || pair.name.length > 64 ? null : pair;
}

/** `BenchmarkName-8  1000  1234 ns/op  …`, as Go's testing package prints it: each value is named by its unit. */
export function readBenchmark(
  line: string,
): { readonly name: string; readonly pairs: readonly Pair[] } | null {
  const match = BENCHMARK.exec(line);
  if (!match) return null;
  const values = line.slice(match[0].length).matchAll(BENCHMARK_VALUE);
  return {
    name: match[1] ?? '',
    pairs: [...values].slice(0, MAX_PAIRS).map(([, value = '', unit = '']) => pairOf(unit, value)),
  };
}

/** After these words, a name means an earlier or a wished-for value. */
const OTHER_VALUES =
  /(?:^|[^\p{L}])(?:previous|prev|prior|last|old|baseline|reference|ref|target|goal|wanted|expected|threshold|initial|start|delta|change|improvement|gain)\s{1,4}$/iu;
/** A word that qualifies the name: `test accuracy`, `Buy & Hold Return`; not the unit of a number before it. */
const QUALIFIER = /(?<![\p{L}\p{N}_.])([\p{L}_][\p{L}\p{N}_.&'-]{0,30})\s{1,4}$/u;
/** These words before a name change nothing. */
const FINAL = /^(?:final|overall|and|with)$/i;
const BESIDE_NAME = /[\p{L}\p{N}_.\-/@%]/u;
/** `val_acc 0.91`, with nothing after it, or in the description of a bar: `loss 0.5 val_acc 0.91:  40%|██`. */
const ALONE_BEHIND = /^\s{1,64}(?=[^\s|]{1,40}(?:\s{0,8}(?:\||$)|(?:\s[^|%]{1,120})?:\s{1,8}\d{1,3}%\|))/;
/** `Acc@1 70.1 Acc@5 89.2`, `Test loss 5.462, Test ppl 235.4.`: nothing but names and numbers. */
const LISTED = String.raw`[-+]?\.?\d(?:[^\s,]|,(?=\d)){0,39}`;
const LISTED_BEHIND = new RegExp(
  String.raw`^\s{1,64}(?=${LISTED}(?:(?:\s{1,8}|,\s{1,8}(?:${WORD}\s){0,2})${WORD}\s{1,8}${LISTED}){1,16}\s{0,8}$)`,
  'u',
);
/** `Acc@1: 12.5 ( 13.5)` behind `[  3/10]`: a batch's value, and the average of all batches so far. */
const AVERAGE = /^[-+]?\.?\d\S{0,20}\s{1,4}\(\s{0,8}([-+]?\.?\d[^\s()]{0,20})\s{0,4}\)/;
const OF_BATCHES = /\[\s{0,8}\d{1,9}\/\s{0,8}\d{1,9}(?:\s{0,4}\(\s{0,4}[\d.]{1,6}%\))?\]/;
/** No useful line contains the metric's name more often. */
const MAX_PLACES = 16;
const SEPARATOR = /^["'`*]{0,3}\s{0,64}[:=](?![:=])\s{0,64}/;

/** The value after the last usable occurrence of a name on a line, and the word before the name; null if there is none. */
export function findNamed(line: string, name: string): (Pair & { readonly qualifier: string | null }) | null {
  let at = line.length;
  for (let place = 0; place < MAX_PLACES && at > 0; place += 1) {
    at = line.lastIndexOf(name, at - 1);
    if (at < 0) return null;
    const before = line.slice(Math.max(0, at - 32), at);
    const rest = line.slice(at + name.length);
    if (BESIDE_NAME.test(before.slice(-1)) || OTHER_VALUES.test(before)) continue;
    const separator =
      [SEPARATOR, ALONE_BEHIND].map(form => form.exec(rest.slice(0, 140))?.[0]).find(Boolean) ??
      LISTED_BEHIND.exec(rest.slice(0, 400))?.[0] ??
      null;
    if (separator === null) continue;
    const value = rest.slice(separator.length, separator.length + MAX_TEXT_CHARACTERS);
    const average = AVERAGE.exec(value)?.[1];
    const pair = pairOf(name, average !== undefined && OF_BATCHES.test(line) ? average : value);
    const isBar = pair.quantity === null && /^\s*\d{1,3}%\|/.test(pair.text);
    if (isBar) continue;
    const word = QUALIFIER.exec(before)?.[1] ?? null;
    return { ...pair, qualifier: word === null || FINAL.test(word) ? null : word };
  }
  return null;
}

/** @param owner what may stand before a name */
const anywhere = (owner: string) =>
  new RegExp(
    String.raw`(?<![\p{L}\p{N}_.\-/@%+*])(${owner}(${WORD}))(?:\s{0,4}[:=]\s{0,16}|\s{1,4})(?=\[{0,2}[-+−]?(?:\.?\d|nan\b|inf\b))`,
    'giu',
  );
const ANYWHERE = anywhere('');
/** Takes longer, at every letter of a line. */
const OWNED = anywhere(String.raw`(?:[\p{L}_][\p{L}\p{N}_.\-]{0,40}'s )?`);
/** `train loss 0.5, val loss 0.6`: the part of the data before a name belongs to it. */
const PART = /(?<![\p{L}\p{N}_.\-/@%+*'])(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval(?:uation)?|dev) $/iu;
const PART_CHARACTERS = 12;
/** The last letters of these words; looking for them is quicker. */
const PART_ENDS = 'ngldtv';
/** `improved from 0.5 to 0.4`: these words before a number do not name it. */
const PREPOSITION = /^(?:from|to|at|of|in|on|by|for|than|after|before|until)\s*$/i;

/**
 * Every `name: 1`, `name=1` and `name 1` of a text, in order. Of names with an owner (`valid's auc`, as LightGBM prints
 * them), those that only one owner has are also read without it.
 */
export function readNumbers(text: string): readonly Pair[] {
  const pairs: Pair[] = [];
  const owned = new Map<string, Pair | null>();
  for (const match of text.matchAll(text.includes("'s ") ? OWNED : ANYWHERE)) {
    if (PREPOSITION.test(match[0])) continue;
    const [, found = '', bare = ''] = match;
    const name = `${partBefore(text, match.index)}${found}`;
    const end = match.index + match[0].length;
    const pair = pairOf(name, text.slice(end, end + 64));
    if (pair.quantity === null) continue;
    pairs.push(pair);
    if (found !== bare) owned.set(bare, owned.has(bare) ? null : { ...pair, name: bare });
    if (pairs.length >= MAX_PAIRS) break;
  }
  return [...pairs, ...[...owned.values()].filter(pair => pair !== null)];
}

function partBefore(text: string, at: number): string {
  const isPart = text[at - 1] === ' ' && PART_ENDS.includes(text[at - 2] ?? ' ');
  return isPart ? (PART.exec(text.slice(Math.max(0, at - PART_CHARACTERS), at))?.[0] ?? '') : '';
}

/** The text after a name, up to where a value can end. */
export function pairOf(name: string, text: string): Pair {
  const whole = name.replaceAll(/\s+/g, ' ');
  return { name: whole, text: text.trim().slice(0, MAX_TEXT_CHARACTERS), quantity: parseQuantity(text) };
}
