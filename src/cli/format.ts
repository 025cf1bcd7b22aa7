import { stripVTControlCharacters, styleText } from 'node:util';
import type { VerdictWord } from '../shared/study.ts';

/** A sign and a word as well as a colour; nearly everyone can distinguish blue and orange. */
const SIGNS: Readonly<Record<VerdictWord, { sign: string; style: Parameters<typeof styleText>[0] }>> = {
  keep: { sign: '▲', style: ['blue', 'bold'] },
  discard: { sign: '·', style: 'gray' },
  crash: { sign: '✗', style: 'yellow' },
  other: { sign: '?', style: 'gray' },
};

export function verdictText(word: VerdictWord): string {
  const { sign, style } = SIGNS[word];
  return styleText(style, `${sign} ${word.padEnd(7)}`);
}

/** Six decimals as upstream prints them, fewer for large numbers. */
export function metricText(value: number | null): string {
  if (value === null) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 9.9995e-5) return value.toExponential(3);
  return value.toFixed(size < 999.9999995 ? 6 : size < 99_999.9995 ? 3 : 1);
}

/** With a sign, and a real minus, so that columns of numbers line up. */
export function deltaText(value: number | null): string {
  if (value === null) return '';
  return (value > 0 ? '+' : value < 0 ? '−' : '±') + metricText(Math.abs(value));
}

/** `7.9 s`, `5:03`, `8:01:15`. */
export function durationText(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const tail = String(rest).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** Cuts to a width in columns, with an ellipsis. Removes control characters and direction marks from untrusted text. */
export function clip(text: string, width: number): string {
  const clean = stripVTControlCharacters(text).replace(
    /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+/g,
    ' ',
  );
  const characters = [...clean];
  return characters.length <= width ? clean : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Splits a line into pieces of at most this many columns; all but the first are indented. */
export function wrap(line: string, width: number): readonly string[] {
  const characters = [...line];
  const pieces = [characters.slice(0, width).join('')];
  for (let at = width; at < characters.length; at += width - 2)
    pieces.push(`  ${characters.slice(at, at + width - 2).join('')}`);
  return pieces;
}

/** Columns padded to their widest cell; cells may be coloured. */
export function tableText(
  rows: readonly (readonly string[])[],
  align: readonly ('left' | 'right')[],
): string {
  const width = (cell: string) => [...stripVTControlCharacters(cell)].length;
  const widths = align.map((_, column) => Math.max(0, ...rows.map(row => width(row[column] ?? ''))));
  return rows
    .map(row =>
      row
        .map((cell, column) => {
          const padding = ' '.repeat((widths[column] ?? 0) - width(cell));
          return align[column] === 'right' ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
