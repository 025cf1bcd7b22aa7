/** The separator between two fields. */
export type Delimiter = '\t' | ',' | ';' | '|' | 'spaces';

/** In the order in which they are tried on a heading. */
export const DELIMITERS: readonly Delimiter[] = ['\t', ',', ';', '|', 'spaces'];

/**
 * The fields of one line. Commas and semicolons may stand in quotes (RFC 4180); null if a quote is not closed.
 * @param isStrict whether a delimiter must follow a closing quote
 * @param columns how many are expected; with spaces as delimiters, the last takes the rest of the line
 */
export function splitLine(
  line: string,
  delimiter: Delimiter,
  columns: number,
  isStrict = false,
): readonly string[] | null {
  switch (delimiter) {
    case '\t':
      return line.split('\t');
    case ',':
    case ';':
      return splitQuoted(line, delimiter, isStrict);
    case '|': {
      const fields = line.split('|').map(field => field.trim());
      // A Markdown row has a bar at both ends.
      if (line.trimStart().startsWith('|')) fields.shift();
      if (line.trimEnd().endsWith('|')) fields.pop();
      return fields;
    }
    case 'spaces':
      return splitSpaces(line.trim(), columns);
    default:
      return delimiter satisfies never;
  }
}

function splitQuoted(line: string, delimiter: string, isStrict: boolean): readonly string[] | null {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let field = '';
      for (at += 1; ; at += 1) {
        const end = line.indexOf('"', at);
        if (end < 0) return null;
        field += line.slice(at, end);
        at = end;
        if (line[at + 1] !== '"') break;
        field += '"';
        at += 1;
      }
      const next = line.indexOf(delimiter, at + 1);
      if (isStrict && at + 1 < line.length && next !== at + 1) return null;
      fields.push(field + line.slice(at + 1, next < 0 ? undefined : next));
      if (next < 0) return fields;
      at = next + 1;
    } else {
      const next = line.indexOf(delimiter, at);
      fields.push(line.slice(at, next < 0 ? undefined : next));
      if (next < 0) return fields;
      at = next + 1;
    }
  }
}

/** Two spaces are the safer delimiter, because a field may contain one. */
function splitSpaces(line: string, columns: number): readonly string[] {
  const wide = line.split(/\s{2,}|\t/);
  if (wide.length === columns) return wide;
  const words = line.split(/\s+/);
  if (words.length <= columns) return words;
  const fields: string[] = [];
  let rest = line;
  while (fields.length < columns - 1) {
    const end = rest.search(/\s/);
    fields.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...fields, rest];
}
