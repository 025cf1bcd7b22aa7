import { distance } from 'fastest-levenshtein';
import { findNamed, type Pair } from './pairs.ts';

/** More names than this come from a table. */
const MAX_NAMES = 200;
/** How many names a message lists. */
const SHOWN_NAMES = 10;
/** How much of a name may differ in a similar one that is suggested. */
const NEAR_SHARE = 0.4;
const OR_OPTION = ' (in the terminal also with --metric)';
const LONE_NUMBER = /^\s{0,64}([-+]?\d{1,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,4})?)\s*$/;

/** `isReadable`: whether its name alone, written as the metric's, would find the number. */
type Printed = { readonly text: string; readonly line: number; readonly isReadable: boolean };

/** Takes the last number of a line after a name. */
const patternOf = (name: string) =>
  String.raw`(?:^|\s)${name.replaceAll(/[^\p{L}\p{N}_-]/gu, String.raw`\$&`)}[:=]?\s(?:.*\s)?([-+]?\d[-+.\deE]*)`;

function listOf(names: readonly (readonly [string, Printed])[]): string {
  const shown = names.slice(0, SHOWN_NAMES).map(([name, { text, line }]) => `${name} ${text} (line ${line})`);
  return `${shown.join(', ')}${names.length > shown.length ? `, and ${names.length - shown.length} more` : ''}`;
}

/** Remembers the names and numbers that a run printed, so that the message of a missing metric can list them. */
export class PrintedNames {
  readonly #found = new Map<string, Printed>();
  #lone: Omit<Printed, 'isReadable'> | null = null;

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
      const isReadable = within === null || findNamed(within, name)?.quantity != null;
      this.#found.set(name, { text: text.split(/,?\s/, 1)[0]?.slice(0, 24) ?? '', line, isReadable });
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
   * Says what was printed in place of a metric, and what to write into pawl.toml. Sentences with a leading space, or
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
      return ` It printed several, one in each row: ${listOf(rows)}. Write the one you mean under [metric] in pawl.toml${OR_OPTION}: name = ${JSON.stringify(rows[0][0])}, for instance.`;
    if (nearest) {
      const listed = ` It printed ${listOf(names)}.`;
      const [name, { line, isReadable }] = nearest;
      const isNear = near(name) <= Math.max(2, Math.ceil(metric.length * NEAR_SHARE));
      if (isNear && !isReadable)
        return `${listed} Other words or numbers follow ${name} on line ${line}, so its name is not enough: write pattern = '${patternOf(name)}' under [metric] in pawl.toml, which takes the last number of such a line, or a pattern of your own.`;
      return isNear && name !== metric
        ? `${listed} The most similar name is ${name}: if you mean that, write name = ${JSON.stringify(name)} under [metric] in pawl.toml${OR_OPTION}.`
        : `${listed} Write the one you mean as name under [metric] in pawl.toml${OR_OPTION}, or a pattern that matches it.`;
    }
    return this.#lone
      ? ` It printed a number without a name, ${this.#lone.text} (line ${this.#lone.line}): if you mean that, write pattern = '^\\s*([-+.\\deE]+)\\s*$' under [metric] in pawl.toml.`
      : '';
  }
}
