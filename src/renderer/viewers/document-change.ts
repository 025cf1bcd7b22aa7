/** A replacement in a text, in UTF-16 units of the old text. */
export type DocumentChange = { readonly from: number; readonly to: number; readonly insert: string };

/**
 * The single replacement that turns `before` into `after` and leaves their common start and end alone, so that the
 * cursor stays. Null if they are equal.
 */
export function smallestChange(before: string, after: string): DocumentChange | null {
  if (before === after) return null;
  const limit = Math.min(before.length, after.length);
  let head = 0;
  while (head < limit && before.charCodeAt(head) === after.charCodeAt(head)) head += 1;
  if (isLowSurrogate(before, head) || isLowSurrogate(after, head)) head -= 1;
  let tail = 0;
  while (
    tail < limit - head &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  )
    tail += 1;
  if (tail > 0 && isLowSurrogate(before, before.length - tail)) tail -= 1;
  return { from: head, to: before.length - tail, insert: after.slice(head, after.length - tail) };
}

/** The two halves of a surrogate pair must not be separated. */
function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit <= 0xdfff;
}

/** A text in the editor's form, which uses only LF, and the line ending to restore. */
export type EditorText = { readonly text: string; readonly lineEnd: '\n' | '\r\n' };

/** The majority decides: a file from another system must not come back with every line changed. */
export function toEditorText(value: string): EditorText {
  const crlf = value.match(/\r\n/g)?.length ?? 0;
  const lines = value.match(/\n/g)?.length ?? 0;
  return { text: value.replace(/\r\n?/g, '\n'), lineEnd: crlf * 2 > lines ? '\r\n' : '\n' };
}

/** The inverse of `toEditorText`, except for texts with mixed line endings. */
export function fromEditorText({ text, lineEnd }: EditorText): string {
  return lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd);
}
