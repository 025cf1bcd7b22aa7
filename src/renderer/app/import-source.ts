import { MAX_TABLE_CHARACTERS } from '../../shared/imports.ts';

/** What an import is asked of: a path on the host's machine, or the text of a table. */
export type ImportSource = { readonly path: string } | { readonly name: string; readonly text: string };

/** A call of more bytes would be refused by the browser host. */
const MAX_CALL_BYTES = 3_500_000;

/** A file the user dropped or chose, by its path where the host tells it; else its text, or why it cannot be read. */
export async function readDropped(
  file: File,
  pathOfFile: (file: File) => string | null,
): Promise<ImportSource | string> {
  const path = pathOfFile(file);
  if (path) return { path };
  const tooLarge = `${file.name} is too large for a browser to upload. Give its path on the machine Pawl runs on.`;
  if (file.size > MAX_CALL_BYTES) return tooLarge;
  const bytes = await file.arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return `${file.name} is not a text table. Give its path on the machine Pawl runs on.`;
  }
  const isFit =
    text.length <= MAX_TABLE_CHARACTERS && new Blob([JSON.stringify(text)]).size <= MAX_CALL_BYTES;
  return isFit ? { name: file.name.slice(-255), text } : tooLarge;
}
