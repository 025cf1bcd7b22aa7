import { PawlError } from '../../shared/errors.ts';
import { readDelimitedTable } from './delimited-table.ts';
import { readJsonTable } from './json-table.ts';
import { type Links, readPlainFile } from './plain-file.ts';
import type { RawTable } from './raw-table.ts';

/** A table of 100,000 rows has about 10 MB. */
export const MAX_TABLE_BYTES = 64 * 1024 * 1024;

/**
 * A table of results from text: rows under a heading, or JSON. Throws `import_invalid` with file and line.
 * @param metric the wanted one, if a log measured several
 */
export function readTable(content: Buffer, fileName: string, metric: string | null): RawTable {
  const text = decode(content, fileName).replace(/^\uFEFF/, '');
  const table = readJsonTable(text, metric) ?? readDelimitedTable(text);
  if (table) return table;
  const line = text.split(/\r\n|\n|\r/).findIndex(candidate => candidate.trim() !== '') + 1;
  throw new PawlError(
    'import_invalid',
    `${fileName}:${Math.max(line, 1)}: this is not the header of a results table: it has no column like "status", "verdict" or "kept".`,
  );
}

/** Rejects with `import_invalid` if the file cannot be read, is no plain file, or is too large. */
export function readTableFile(path: string, links?: Links): Promise<Buffer> {
  return readPlainFile(path, MAX_TABLE_BYTES, links);
}

/** Guessing another encoding would change the table when it is exported. */
function decode(content: Buffer, fileName: string): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(content);
  } catch (cause) {
    const text = content.toString('latin1').split('\n');
    const isBroken = (line: string) =>
      !Buffer.from(Buffer.from(line, 'latin1').toString('utf8')).equals(Buffer.from(line, 'latin1'));
    const line = text.findIndex(isBroken) + 1;
    throw new PawlError('import_invalid', `${fileName}:${line}: not UTF-8 text, so not a results table.`, {
      cause,
    });
  }
}
