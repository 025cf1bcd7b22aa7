/** With a space of no width in what would notify somebody on a forge, or close or link an issue there. */
export function disarmReferences(text: string): string {
  return text.replaceAll(/([@#]|\bGH-|\/(?:issues|pull|merge_requests)\/)(?=\w)/gi, '$1\u200b');
}
