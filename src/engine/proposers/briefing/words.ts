import { createHash } from 'node:crypto';

/**
 * What a program or a file says, marked as such: text in it that reads like instructions is none. The mark is taken
 * from the text itself, so nothing in the text can close the fence.
 */
export function asData(what: string, text: string): string {
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `<data-${mark} of="${what.replaceAll('"', "'")}">\n${text}\n</data-${mark}>`;
}

export function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${Number(value.toPrecision(4))}`;
}
