import { distance } from 'fastest-levenshtein';
import type { Contract } from '../../shared/contract/contract.ts';
import { whereToWrite } from '../../shared/contract/where-to-write.ts';
import { listed } from '../../shared/listed.ts';
import { findNamed, type Pair } from './pairs.ts';

/** More names than this come from a table. */
const MAX_NAMES = 200;
/** How many names a message lists. */
const SHOWN_NAMES = 10;
/** How much of a name may differ in a similar one that is suggested. */
const NEAR_SHARE = 0.4;
const LONE_NUMBER = /^\s{0,64}([-+]?\d{1,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,4})?)\s*$/;

/** What finds such a number. */
const LONE_PATTERN = '^\\s*([-+.\\deE]+)\\s*$';

/** `within`: the line's text, if the name was only found within it. */
type Printed = { readonly text: string; readonly line: number; readonly within: string | null };

/** Whether its name alone, written as the metric's, would find the number. */
function isReadable(name: string, { within }: Printed): boolean {
  return within === null || findNamed(within, name)?.quantity != null;
}

/** Takes the last number of a line after a name. */
const patternOf = (name: string) =>
  String.raw`(?:^|\s)${name.replaceAll(/[^\p{L}\p{N}_-]/gu, String.raw`\$&`)}[:=]?\s(?:.*\s)?([-+]?\d[-+.\deE]*)`;

function listOf(names: readonly (readonly [string, Printed])[]): string {
  return listed(
    names.map(([name, { text, line }]) => `${name} ${text} (line ${line})`),
    SHOWN_NAMES,
  );
}

/** Remembers the names and numbers that a run printed, so that the message of a missing metric can list them. */
export class PrintedNames {
  readonly #source: Contract['source'];
  readonly #found = new Map<string, Printed>();
  #lone: Omit<Printed, 'within'> | null = null;

  constructor(source: Contract['source']) {
    this.#source = source;
  }

  /**
   * @param line counted from 1, by newlines
   * @param within the line's text, if the names were only found within it
   */
  add(
    pairs: readonly Pick<Pair, 'name' | 'text' | 'quantity'>[],
    line: number,
    within: string | null = null,
  ): void {
    for (const { name, text, quantity } of pairs) {
      if (quantity === null || (this.#found.size >= MAX_NAMES && !this.#found.has(name))) continue;
      this.#found.set(name, { text: text.split(/,?\s/, 1)[0]?.slice(0, 24) ?? '', line, within });
    }
  }

  get isEmpty(): boolean {
    return this.#found.size === 0 && this.#lone === null;
  }

  addLone(text: string, line: number): void {
    const number = LONE_NUMBER.exec(text)?.[1];
    if (number !== undefined) this.#lone = { text: number, line };
  }

  /**
   * Says what was printed in place of a metric, and what to write where. Sentences with a leading space, or
   * an empty text.
   */
  describe(metric: string, hasSummary: boolean): string {
    const near = (name: string) => distance(name.toLowerCase(), metric.toLowerCase());
    const names = [...this.#found].sort(([a], [b]) => near(a) - near(b));
    const [nearest] = names;
    const own = this.#found.get(metric);
    if (own && hasSummary)
      return ` It printed ${metric} ${own.text} (line ${own.line}) before its summary, which does not contain it.`;
    // See `SummaryReader`: a column's name counts only while one row has it.
    const rows = names
      .filter(([name]) => name.endsWith(` ${metric}`))
      .sort(([, a], [, b]) => a.line - b.line);
    if (own && rows[0] && rows.length > 1)
      return ` It printed several, one in each row: ${listOf(rows)}. Write the one you mean, for instance ${this.#nameIt(rows[0][0])}.`;
    if (nearest) {
      const told = ` It printed ${listOf(names)}.`;
      const [name, printed] = nearest;
      const isNear = near(name) <= Math.max(2, Math.ceil(metric.length * NEAR_SHARE));
      if (isNear && !isReadable(name, printed))
        return `${told} Other words or numbers follow ${name} on line ${printed.line}, so its name is not enough: write ${this.#pattern(patternOf(name))}, which takes the last number of such a line, or a pattern of your own.`;
      return isNear && name !== metric
        ? `${told} The most similar name is ${name}: if you mean that, write ${this.#nameIt(name)}.`
        : `${told} Write the one you mean as ${this.#where('name under [metric]', 'the metric', '--metric')}, or a pattern that matches it.`;
    }
    return this.#lone
      ? ` It printed a number without a name, ${this.#lone.text} (line ${this.#lone.line}): if you mean that, write ${this.#pattern(LONE_PATTERN)}.`
      : '';
  }

  #nameIt(name: string): string {
    const option = `--metric ${name.includes(' ') ? JSON.stringify(name) : name}`;
    return this.#where(`name = ${JSON.stringify(name)} under [metric]`, `${name} as the metric`, option);
  }

  #pattern(pattern: string): string {
    return this.#where(`pattern = '${pattern}' under [metric]`, `${pattern} as the pattern of the number`);
  }

  #where(key: string, field: string, option?: string): string {
    return whereToWrite(this.#source, { key, field, ...(option !== undefined && { option }) });
  }
}
