import { findConstants } from '../../src/engine/proposers/search/constants.ts';
import { turn } from '../../src/engine/proposers/search/moves.ts';

export function namesOfConstants(
  file: string,
  source: string,
  given?: ReadonlySet<string>,
): readonly string[] {
  return findConstants(file, source, given).map(({ name }) => name);
}

/** The file with every constant turned one step, and what each became. */
export function turnAll(file: string, source: string): { text: string; turned: Record<string, string> } {
  let text = source;
  const turned: Record<string, string> = {};
  for (const { name, literal, start, end } of findConstants(file, source).toReversed()) {
    const to = turn(literal, 'up', 0, 0) ?? turn(literal, 'other', 0, 0) ?? literal.text;
    turned[name] = to;
    text = text.slice(0, start) + to + text.slice(end);
  }
  return { text, turned };
}
