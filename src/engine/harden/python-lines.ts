import { refuse } from './refuse.ts';

/** A line of a Python file, without its line ending; the last line may have none. */
export type Line = {
  readonly text: string;
  readonly at: number;
  readonly indent: string;
  readonly end: string;
};

/**
 * Python as lines with their indentation. It is not parsed, so text inside a multi-line string counts as code; but
 * the user sees the resulting diff before anything uses it.
 */
export class PythonLines {
  readonly path: string;
  readonly lines: readonly Line[];

  constructor(path: string, text: string) {
    this.path = path;
    const ends = text.match(/\r?\n/g) ?? [];
    this.lines = text.split(/\r?\n/).map((line, at) => ({
      ...{ text: line, at, end: ends[at] ?? '' },
      indent: /^[ \t]*/.exec(line)?.[0] ?? '',
    }));
  }

  /** The lines of code that match. */
  all(pattern: RegExp): readonly Line[] {
    return this.lines.filter(({ text }) => !/^\s*#/.test(text) && pattern.test(text));
  }

  /** The only line that matches. Throws `contract_unclear` if there is none, or several. */
  only(pattern: RegExp, what: string): Line {
    const [first, second] = this.all(pattern);
    if (first && !second) return first;
    if (!first) throw refuse(`${this.path} has no line like ${what}.`);
    throw refuse(
      `Two lines of ${this.path}, ${first.at + 1} and ${second && second.at + 1}, are like ${what}: it is unclear which of them counts.`,
    );
  }

  /** The heads (`if …:`, `def …:`) that a line is nested in, innermost first. */
  headsOf({ at, indent }: Line): readonly Line[] {
    const heads: Line[] = [];
    let depth = indent.length;
    for (let above = at - 1; above >= 0 && depth > 0; above -= 1) {
      const line = this.lines[above];
      if (!line || line.text.trim() === '' || line.indent.length >= depth) continue;
      if (/^\s*[#)\]}]/.test(line.text)) continue;
      heads.push(line);
      depth = line.indent.length;
    }
    return heads;
  }

  /** The function or class that contains a line; null at the top level. */
  scopeOf(line: Line): Line | null {
    return this.headsOf(line).find(({ text }) => /^\s*(?:async\s+def|def|class)\b/.test(text)) ?? null;
  }

  /** The text with lines inserted before others; each takes the line ending of the line after it. */
  insert(pieces: readonly { readonly before: Line; readonly lines: readonly string[] }[]): string {
    return this.lines
      .flatMap(line => [
        ...pieces
          .filter(({ before }) => before.at === line.at)
          .flatMap(({ lines }) => lines)
          .map(text => `${text === '' ? '' : line.indent}${text}${line.end || '\n'}`),
        line.text + line.end,
      ])
      .join('');
  }
}
