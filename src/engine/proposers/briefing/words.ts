import { createHash } from 'node:crypto';

/**
 * Quotes text from a program or a file as data, so that instructions inside it do not count. The fence is chosen by
 * the text itself, so that nothing in the text can close it.
 */
export function asData(what: string, text: string): string {
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `<data-${mark} of="${what.replaceAll('"', "'")}">\n${text}\n</data-${mark}>`;
}

export function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${Number(value.toPrecision(4))}`;
}
