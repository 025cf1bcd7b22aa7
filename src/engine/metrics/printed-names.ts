import { distance } from 'fastest-levenshtein';
import { listed } from '../../shared/listed.ts';
import type { Pair } from './pairs.ts';

/** More names than this come from a table. */
const MAX_NAMES = 200;
/** How many names a message lists. */
const SHOWN_NAMES = 10;
/** How much of a name may differ in a similar one that is suggested. */
const NEAR_SHARE = 0.4;
const LONE_NUMBER = /^\s{0,64}([-+]?\d{1,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,4})?)\s*$/;

type Printed = { readonly text: string; readonly line: number };

function listOf(names: readonly (readonly [string, Printed])[]): string {
  return listed(
    names.map(([name, { text, line }]) => `${name} ${text} (line ${line})`),
    SHOWN_NAMES,
  );
}

/** Remembers the names and numbers that a run printed, so that the message of a missing metric can list them. */
export class PrintedNames {
  readonly #found = new Map<string, Printed>();
  #lone: Printed | null = null;

  /** @param line counted from 1, by newlines */
  add(pairs: readonly Pick<Pair, 'name' | 'text' | 'quantity'>[], line: number): void {
    for (const { name, text, quantity } of pairs) {
      if (quantity === null || (this.#found.size >= MAX_NAMES && !this.#found.has(name))) continue;
      this.#found.set(name, { text: text.split(/\s/, 1)[0]?.slice(0, 24) ?? '', line });
    }
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
      return ` It printed several, one in each row: ${listOf(rows)}. Write the one you mean under [metric] in pawl.toml: name = ${JSON.stringify(rows[0][0])}, for instance.`;
    if (nearest) {
      const listed = ` It printed ${listOf(names)}.`;
      const isNear = near(nearest[0]) <= Math.max(2, Math.ceil(metric.length * NEAR_SHARE));
      return isNear && nearest[0] !== metric
        ? `${listed} The most similar name is ${nearest[0]}: if you mean that, write name = ${JSON.stringify(nearest[0])} under [metric] in pawl.toml.`
        : `${listed} Write the one you mean as name under [metric] in pawl.toml, or a pattern that matches it.`;
    }
    return this.#lone
      ? ` It printed a number without a name, ${this.#lone.text} (line ${this.#lone.line}): if you mean that, write pattern = '^\\s*([-+.\\deE]+)\\s*$' under [metric] in pawl.toml.`
      : '';
  }
}
