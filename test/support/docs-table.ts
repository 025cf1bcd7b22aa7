import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/**
 * Checks a table in the docs against the tests' results: the table after `<!-- name -->`, which ends with an empty
 * line. `PAWL_WRITE_DOCS=1` writes it.
 */
export async function checkDocs(
  file: string,
  name: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  const text = await readFile(path, 'utf8');
  const start = `<!-- ${name} -->\n`;
  const from = text.indexOf(start) + start.length;
  expect(from, `${file} has no ${start.trim()}`).toBeGreaterThanOrEqual(start.length);
  const end = text.indexOf('\n\n', from);
  const to = end < 0 ? text.length : end;
  if (process.env.PAWL_WRITE_DOCS)
    await writeFile(path, `${text.slice(0, from)}${table}${text.slice(to) || '\n'}`);
  else expect(text.slice(from, to).trimEnd()).toBe(table);
}
