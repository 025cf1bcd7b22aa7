import { MAX_TABLE_CHARACTERS } from '../../shared/imports.ts';

/** The source of an import: a path on the host's machine, or the text of a table. */
export type ImportSource = { readonly path: string } | { readonly name: string; readonly text: string };

/** The browser host would refuse a larger call. */
const MAX_CALL_BYTES = 3_500_000;

/** A file that the user dropped or chose: its path if the host knows it; else its text, or why it cannot be read. */
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
