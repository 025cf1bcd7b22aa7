import type { Candidate } from './constant.ts';
import { parseLiteral } from './literal.ts';
import { isOfC } from './live-code.ts';

/** How many lines of attributes and comments may stand between clap's default and the field it belongs to. */
const MAX_LINES_BETWEEN = 8;

/**
 * Defaults of options of the command line: Go's `flag.Float64("rate", 0.1, "…")`, gflags' `DEFINE_double(rate, 0.1, "…")`
 * and clap's `#[arg(long, default_value_t = 0.1)]` before a field.
 */
export function findCodeOptions(
  file: string,
  lines: readonly { readonly start: number; readonly text: string }[],
): readonly Candidate[] {
  return lines.flatMap(({ start, text }, at) => {
    const call = file.endsWith('.go') ? GO_FLAG.exec(text) : isOfC(file) ? GFLAG.exec(text) : null;
    const attribute = file.endsWith('.rs') ? CLAP_DEFAULT.exec(text) : null;
    const match = call ?? attribute;
    const field = attribute ? fieldAfter(lines.slice(at + 1, at + 1 + MAX_LINES_BETWEEN)) : null;
    const name = call?.groups?.name ?? field;
    const literal = parseLiteral(match?.groups?.value ?? '', '');
    if (!match || !name || !literal) return [];
    const from = start + match.index + match[0].length - literal.text.length;
    const option = `--${name}`;
    return [{ name: option, alias: option, literal, start: from, end: from + literal.text.length }];
  });
}

const GO_FLAG =
  /\bp?flag\.(?:Float64|Int(?:64)?|Uint(?:64)?|Bool)(?:Var\(\s*&[\w.]+\s*,|\()\s*"(?<name>[\w-]+)"\s*,\s*(?<value>[\w.+-]+)/;
const GFLAG = /^DEFINE_(?:double|float|u?int(?:32|64)|bool)\(\s*(?<name>\w+)\s*,\s*(?<value>[\w.+-]+)/;
const CLAP_DEFAULT = /^\s*#\[(?:arg|clap|structopt)\(.*?\bdefault_value(?:_t)?\s*=\s*"?(?<value>[\w.+-]+)/;

/** The next field of a struct, below more attributes and comments. */
function fieldAfter(lines: readonly { readonly text: string }[]): string | null {
  const line = lines.find(({ text }) => !/^\s*(?:$|#|\/\/)/.test(text));
  const name = /^\s*(?:pub(?:\([a-z]+\))?\s+)?(\w+)\s*:/.exec(line?.text ?? '')?.[1];
  return name?.replaceAll('_', '-') ?? null;
}
