import { parseQuantity } from './number.ts';

/** One progress line's values by name, in the order printed. */
export type ProgressPoint = {
  readonly values: ReadonlyMap<string, number>;
  readonly units: ReadonlyMap<string, string>;
};

/** More keys than this on one line are not progress but a table. */
const MAX_KEYS = 32;

/**
 * Reads `step 00420 (43.8%) | loss: 3.123456 | dt: 315ms | …` and every `key: value | key: value` line, also with
 * `=`. Returns null for anything else. A value that is not a number (`mfu: n/a`) is left out. Format: FIELD's
 * upstream progress line; a leading `step N (P%)` gives `step` and `progress`.
 */
export function parseProgress(line: string): ProgressPoint | null {
  const bar = line.indexOf('|');
  if (bar < 0 && !/^\s*step\s+\d/i.test(line)) return null;
  const segments = line.split('|');
  if (segments.length > MAX_KEYS) return null;
  const values = new Map<string, number>();
  const units = new Map<string, string>();
  let pairs = 0;
  for (const segment of segments) {
    const counted =
      /^\s*(step|iter|iteration|epoch)\s+(\d[\d,]*)(?:\s*\/\s*\d[\d,]*)?\s*(?:\(\s*([\d.]+)%\s*\))?/i.exec(
        segment,
      );
    if (counted) {
      values.set((counted[1] ?? '').toLowerCase(), Number(counted[2]?.replaceAll(',', '')));
      if (counted[3] !== undefined) {
        values.set('progress', Number(counted[3]));
        units.set('progress', '%');
      }
      pairs += 1;
      continue;
    }
    const separator = segment.search(/[:=]/);
    if (separator < 0) continue;
    const name = segment.slice(0, separator).trim();
    if (!isSeriesName(name)) continue;
    pairs += 1;
    const quantity = parseQuantity(segment.slice(separator + 1));
    if (!quantity) continue;
    values.set(name, quantity.value);
    if (quantity.unit) units.set(name, quantity.unit);
  }
  const isProgress = pairs >= 2 || (pairs === 1 && values.has('step'));
  return isProgress && values.size > 0 ? { values, units } : null;
}

function isSeriesName(name: string): boolean {
  return /^[A-Za-z_][\w ./%()-]{0,47}$/.test(name);
}
