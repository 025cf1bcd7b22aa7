import { STEP_NAMES } from '../../shared/charts/token-count.ts';
import { parseQuantity } from './number.ts';
import { type Pair, readNumbers, readObject, withoutLogPrefix } from './pairs.ts';

/** One progress line's values by name, in the order printed. */
export type ProgressPoint = {
  readonly values: ReadonlyMap<string, number>;
  readonly units: ReadonlyMap<string, string>;
};

/** More keys than this on one line are a table, not progress. */
const MAX_KEYS = 32;

const COUNTS = STEP_NAMES.join('|');
const COUNTER = new RegExp(
  String.raw`^\s{0,8}\[?(?:train(?:ing)?\s)?(${COUNTS})(?:\s{1,8}|\s{0,4}[:=]\s{0,8})\[?(\d[\d,]{0,20})(?!\.?\d)`,
  'i',
);
const COUNTER_NAME = new RegExp(`^(?:${COUNTS})$`, 'i');
/** What MaxText, PyTorch's examples, CleanRL and others print before a counter. */
const COMPLETED = /^\s{0,8}(?:completed\s|finished\s|end of\s|global[\s_])/i;
/** `Train: 3 [  10/391 (  3%)]`, as timm counts epochs. */
const TRAIN = /^\s{0,8}Train:\s(\d{1,9})\s\[\s{0,8}\d{1,9}\/\d{1,9}\s\(\s{0,8}\d{1,3}%\)\]/;
/** What may follow a counter: the total and the share. */
const OF_HOW_MANY = /^\s{0,8}\/\s{0,8}\d[\d,]{0,20}/;
const SHARE = /^\]?\s{0,8}\(\s{0,8}([\d.]{1,12})%\s{0,8}\)/;
/**
 * A number before a list of pairs, as libraries for boosting and clu print it: `[10] auc:0.9`, `10:<tab>learn: 0.5`;
 * with two numbers, an epoch and its batch: `[1,  2000] loss: 2.2`.
 */
const BEFORE_PAIRS =
  /^\s{0,8}(?:\[(\d{1,9})(?:,\s{0,8}(\d{1,9}))?\]\s{1,8}|(\d{1,9}):\t)(?=[\p{L}_][^\s:=]{0,63}(?: [^\s:=]{1,63})?\s{0,4}[:=]\s{0,16}[-+]?(?:\.?\d|nan\b|inf\b))/iu;
/** A number alone before a part of the data, as candle's examples print it: `   3 train loss 0.5 test acc: 91%`. */
const BEFORE_PART =
  /^\s{0,8}(\d{1,9})\s(?=(?:train|val|test)(?:ing|id|idation)?\s[\p{L}_]{1,32}\s{0,4}[:=]?\s{0,16}[-+]?\.?\d)/iu;
/** Only a name, with or without its part of the data, and a number. */
const BARE =
  /^\s{0,64}(?:(?:train|val|test|eval|dev)(?:ing|id|idation|uation)?\s)?\S{1,64}\s{1,64}\S{1,32}\s{0,64}$/;
/** A progress bar of tqdm: `40%|████      | 20/50 [00:01<00:02, 19.9it/s, loss=0.3]`; ignite's has no second bar. */
const BAR =
  /(\d{1,3})%\|(?:[^|]{0,400}\||[\u2588-\u258f ]{0,400}(?=[,[]))\s{0,8}(?:(\d[\d.,]{0,20}[kMGT]?)\/)?/;
/** A progress bar of Keras: `2/5 ━━━━ 0s 12ms/step - accuracy: 0.81 - loss: 1.8`. */
const KERAS = /^\s{0,8}(\d{1,12})\/(?:\d{1,12}|Unknown)\s.{0,400}?(?:\/(?:step|epoch|sample))?\s-\s/;
const KERAS_EPOCH = /^\s{0,8}Epoch\s\d{1,12}(?:\/\d{1,12})?\s{0,4}[-:]\s/i;

/**
 * Reads what trainings print as progress; null for anything else: `step 00420 (43.8%) | loss: 3.123456 | dt: 315ms`
 * and every `key: value | key: value` line, also with `=`; lines that begin with a counter (`step:5/20000
 * train_loss:6.9`, `Epoch 3 loss 0.5`); bars of tqdm, Lightning and Keras; objects that contain a step, an epoch or a
 * loss. A value that is not a number (`mfu: n/a`) is left out. Format: FIELD's upstream progress line; a leading
 * `step N (P%)` gives `step` and `progress`.
 */
export function parseProgress(line: string): ProgressPoint | null {
  const text = withoutLogPrefix(line);
  const bar = text.includes('%|') ? BAR.exec(text) : null;
  if (bar) return readBar(text, bar);
  if (text.includes('|')) return readSegments(text);
  const counted = readCounter(text) ?? readBeforePairs(text) ?? readCounterOfMore(text);
  if (counted) return readCounted(text, counted);
  const keras = text.includes(' - ') ? (KERAS.exec(text) ?? KERAS_EPOCH.exec(text)) : null;
  if (keras)
    return pointOf(readNumbers(text.slice(keras[0].length)), keras[1] ? [['batch', Number(keras[1])]] : []);
  return text.trimStart().startsWith('{') ? readStep(text) : null;
}

type Start = readonly (readonly [string, number])[];

/** The numbers of a line under their names; null if it has none besides those at its start, or too many. */
export function pointOf(pairs: readonly Pair[], start: Start): ProgressPoint | null {
  const values = new Map<string, number>(start);
  const units = new Map<string, string>();
  if (values.has('progress')) units.set('progress', '%');
  if (pairs.length > MAX_KEYS) return null;
  for (const { name, quantity } of pairs) {
    if (!quantity) continue;
    values.set(name, quantity.value);
    if (quantity.unit) units.set(name, quantity.unit);
  }
  return values.size > start.length ? { values, units } : null;
}

function readBar(text: string, bar: RegExpExecArray): ProgressPoint | null {
  const description = text.slice(0, bar.index);
  const behind = text.slice(bar.index + bar[0].length);
  const counted = readCounter(description);
  const described = readNumbers(description.slice(counted?.length ?? 0));
  const done = bar[2] === undefined ? null : parseQuantity(bar[2]);
  return pointOf(
    [...described, ...readNumbers(behind)],
    [
      ...(counted?.values ?? []),
      // After a counter such as `Epoch 3`, the bar counts the batches of that epoch.
      ...(done ? [[counted ? 'batch' : 'step', done.value] as const] : []),
      ['progress', Number(bar[1])],
    ],
  );
}

type Counted = { readonly values: Start; readonly length: number };

/** `step 5/100 (5.0%)` at the start of a text; null if there is none. */
function readCounter(text: string): Counted | null {
  const match = COUNTER.exec(text);
  if (!match) return null;
  let length = match[0].length;
  length += OF_HOW_MANY.exec(text.slice(length))?.[0].length ?? 0;
  const share = SHARE.exec(text.slice(length));
  length += share?.[0].length ?? 0;
  const counter = [(match[1] ?? '').toLowerCase(), Number(match[2]?.replaceAll(',', ''))] as const;
  return { values: share ? [counter, ['progress', Number(share[1])]] : [counter], length };
}

/** Of a line that has more words at its start, or other ones. */
function readCounterOfMore(text: string): Counted | null {
  const [word] = COMPLETED.exec(text) ?? [];
  if (word !== undefined) {
    const counted = readCounter(text.slice(word.length));
    return counted && { ...counted, length: counted.length + word.length };
  }
  const epoch = TRAIN.exec(text);
  return epoch && { values: [['epoch', Number(epoch[1])]], length: epoch[0].length };
}

function readBeforePairs(text: string): Counted | null {
  const part = BEFORE_PART.exec(text);
  if (part) return { values: [['step', Number(part[1])]], length: part[0].length };
  const match = BEFORE_PAIRS.exec(text);
  if (!match) return null;
  const [first, second] = [Number(match[1] ?? match[3]), match[2]];
  return {
    values:
      second === undefined
        ? [['step', first]]
        : [
            ['epoch', first],
            ['batch', Number(second)],
          ],
    length: match[0].length,
  };
}

function readCounted(text: string, counted: Counted): ProgressPoint | null {
  const pairs = readNumbers(text.slice(counted.length));
  const point = pointOf(pairs, counted.values);
  if (point) return point;
  const isStep = counted.values.some(([name]) => name === 'step');
  return isStep && pairs.length === 0 ? bare(counted.values) : null;
}

function bare(values: Start): ProgressPoint {
  return { values: new Map(values), units: new Map(values.length > 1 ? [['progress', '%']] : []) };
}

function readSegments(text: string): ProgressPoint | null {
  const segments = text.split('|');
  if (segments.length > MAX_KEYS) return null;
  const values = new Map<string, number>();
  const units = new Map<string, string>();
  let pairs = 0;
  const add = (name: string, rest: string): void => {
    pairs += 1;
    const quantity = parseQuantity(rest);
    if (!quantity) return;
    values.set(name, quantity.value);
    if (quantity.unit) units.set(name, quantity.unit);
  };
  for (const segment of segments) {
    const counted = readCounter(segment) ?? readCounterOfMore(segment);
    if (counted) {
      for (const [name, value] of counted.values) values.set(name, value);
      if (counted.values.length > 1) units.set('progress', '%');
      pairs += 1;
      continue;
    }
    const separator = segment.search(/[:=]/);
    const name = segment.slice(0, Math.max(0, separator)).trim();
    if (separator < 0 || !isSeriesName(name)) {
      // `loss 3.23`
      const only = separator < 0 && BARE.test(segment) ? readNumbers(segment)[0] : undefined;
      // A counter without a number counts nothing.
      const isCounter = only !== undefined && COUNTER_NAME.test(only.name);
      if (only && !isCounter) add(only.name, only.text);
      continue;
    }
    const rest = segment.slice(separator + 1);
    add(name, rest);
    // A result printed after a progress line that has no newline.
    if (/\s[\p{L}_]\S{0,63}\s{0,4}[:=]/u.test(rest)) {
      for (const more of readNumbers(rest)) add(more.name, more.text);
    }
  }
  const isProgress = pairs >= 2 || (pairs === 1 && values.has('step'));
  return isProgress && values.size > 0 ? { values, units } : null;
}

/** An object with one of these is progress, not the result. */
const STEPS: readonly string[] = [...STEP_NAMES, 'loss', 'train_loss'];

function readStep(text: string): ProgressPoint | null {
  const pairs = readObject(text)?.filter(({ name }) => !name.includes('.')) ?? [];
  return pairs.some(({ name }) => STEPS.includes(name)) ? pointOf(pairs, []) : null;
}

function isSeriesName(name: string): boolean {
  return /^[A-Za-z_][\w ./%()-]{0,47}$/.test(name);
}
