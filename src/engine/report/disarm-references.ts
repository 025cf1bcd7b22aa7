/** Inserts a zero-width space wherever the text would mention someone on a forge, or close or link an issue. */
export function disarmReferences(text: string): string {
  return text.replaceAll(/([@#]|\bGH-|\/(?:issues|pull|merge_requests)\/)(?=\w)/gi, '$1\u200b');
}
