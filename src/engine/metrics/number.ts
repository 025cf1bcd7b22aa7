/** A printed number with the unit after it. */
export type Quantity = { readonly value: number; readonly unit: string | null };

/** Marks before a number that are not part of it: quotes, emphasis, a library's wrapper, a currency. */
const DECORATION =
  /^["'`*]{0,3}(?:(?:tensor|[Aa]rray|(?:np|numpy|jnp|torch)\.\w{1,12})\()?(?=[-+−.\d$€£¥ni])(?:([-+−]?)[$€£¥])?/i;
/** An array of one number, as NumPy prints it: `[25.]`, `array([[0.5]])`. */
const ARRAY_OF_ONE = /^((?:tensor|[Aa]rray)\()?\[{1,2}\s{0,4}([-+]?[\d.][\d.eE+-]{0,30})\s{0,4}\]{1,2}/;
/** No alternative begins where another could continue, so no text can make the match slow. */
const NUMBER =
  /^([-+−]?)(?:([1-9]\d{0,2}(?:,\d{3})+(?!\d)(?:\.\d+)?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(nan|inf(?:inity)?)(?![A-Za-z]))/i;
/**
 * A unit, and what may follow a number. A bar after a percent sign belongs to a progress bar, whose share is not a
 * measurement, and a part of the data to the next name: `loss: 0.5 test loss: 0.6`.
 */
const UNIT =
  /^\.?\s?(?!%\||(?:train|val|test|eval|dev)(?:ing|id|idation|uation)?\s)(%|[A-Za-z\u00b5\u03bc]{1,12}(?:\/[A-Za-z]{1,12})?)?(?=\s|$|[)\]};|"'`*±]|[.,](?!\d)|:(?:\s|$)|\+[\d./])/;
/** Groups of digits separated by spaces could be one number or several. */
const GROUPS = /^\d{1,3}(?: \d{3})+(?![\d.])/;
/** `1h 2m 3.5s`: a time in several parts. */
const DURATION =
  /^(?:(\d{1,6})\s?(?:d|days?)[\s,]{0,2})?(?:(\d{1,6})\s?(?:h|hrs?|hours?)[\s,]{0,2})?(?:(\d{1,6})\s?(?:m|mins?|minutes?)[\s,]{0,2})?(?:(\d{1,6}(?:\.\d+)?)\s?(?:s|secs?|seconds?))?(?=$|[\s)\]};|,])/;
/** `1:23`, `0:01:23.5`: minutes or hours before seconds. */
const CLOCK = /^(?:(\d{1,4}):)?(\d{1,3}):([0-5]\d(?:\.\d{1,9})?)(?=$|[\s)\]};|,])/;
/** A number that became another one: `0.5 -> 0.4`. */
const CHANGE = /^\S{0,16}\s{0,4}(?:->|=>|→)/;

/**
 * Prefixes of plain counts: `998.7K tokens` and `1.02M` belong to one series. `B` is missing, because it may mean
 * bytes.
 */
const COUNTS: Readonly<Record<string, number>> = {
  ...{ K: 1e3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ thousand: 1e3, million: 1e6, billion: 1e9, trillion: 1e12 },
};

/** No number with its unit is longer. */
const MAX_CHARACTERS = 64;

/**
 * Reads the number `text` begins with: thousands commas, exponents, `nan`, `inf`, a currency before it and a unit
 * (`%`, `ms`, `GB`, …) behind. What follows after white space is ignored, because upstream appends to its progress
 * line. Null for `n/a`, for the share of a progress bar, for `0.5 -> 0.4` and for anything else that is not a single
 * number.
 */
export function parseQuantity(text: string): Quantity | null {
  const trimmed = text
    .slice(0, 2 * MAX_CHARACTERS)
    .trimStart()
    .slice(0, MAX_CHARACTERS)
    .replace(ARRAY_OF_ONE, '$1$2');
  const decoration = DECORATION.exec(trimmed);
  const bare = `${decoration?.[1] ?? ''}${trimmed.slice(decoration?.[0].length ?? 0)}`;
  const duration = readDuration(bare);
  if (duration !== null) return { value: duration, unit: 's' };
  const match = NUMBER.exec(bare);
  if (!match || GROUPS.test(bare)) return null;
  const rest = bare.slice(match[0].length);
  const unit = UNIT.exec(rest);
  if (!unit || CHANGE.test(rest)) return null;
  const digits = match[2]?.replaceAll(',', '');
  const magnitude =
    digits !== undefined ? Number(digits) : /^n/i.test(match[3] ?? '') ? Number.NaN : Infinity;
  const value = match[1] === '-' || match[1] === '−' ? -magnitude : magnitude;
  const isNext = /^\s?[:=]/.test(rest.slice(unit[0].length)) && !isKnown(unit[1] ?? '');
  return { value, unit: isNext ? null : (unit[1] ?? null) };
}

/** Of time, bytes or counts, or a rate; any other word before a colon is the next name: `loss: 0.5 acc: 0.9`. */
function isKnown(unit: string): boolean {
  return unit === '%' || SECONDS[unit] !== undefined || COUNTS[unit] !== undefined || KNOWN.test(unit);
}

/** Seconds of a time in at least two parts; null for anything else. */
function readDuration(text: string): number | null {
  const clock = CLOCK.exec(text);
  if (clock) {
    const [, hours = '0', minutes = '0', seconds = '0'] = clock;
    return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  const parts = DURATION.exec(text)?.slice(1) ?? [];
  if (parts.filter(part => part !== undefined).length < 2) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(part => Number(part ?? 0));
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
}

/** Scaled in decimal, so that `1.02M` is exactly 1020000. */
function scale(value: number, factor: number): number {
  return Number((value * factor).toPrecision(15));
}

const SECONDS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-9, nsec: 1e-9, nanosecond: 1e-9, nanoseconds: 1e-9 },
  ...{ us: 1e-6, usec: 1e-6, '\u00b5s': 1e-6, '\u03bcs': 1e-6, microsecond: 1e-6, microseconds: 1e-6 },
  ...{ ms: 1e-3, msec: 1e-3, millisecond: 1e-3, milliseconds: 1e-3 },
  ...{ s: 1, sec: 1, secs: 1, second: 1, seconds: 1 },
  ...{ m: 60, min: 60, mins: 60, minute: 60, minutes: 60 },
  ...{ h: 3600, hr: 3600, hrs: 3600, hour: 3600, hours: 3600, d: 86_400, day: 86_400, days: 86_400 },
};
const KNOWN = /^[kKMGT]?i?[bB](?:\/s)?$|\/(?:s|sec|min|h|it|iter|step|epoch|batch|sample|token|op)s?$/;
const PREFIXED = /^([kKMGTmgt])(i?)([bB].*|(?<=[kKMGT])[^i].*)$/;

/** The plain number, for a name that has no unit yet: prefixes of counts are multiplied out. */
export function plainQuantity({ value, unit }: Quantity): Quantity {
  const count = COUNTS[unit ?? ''];
  return count === undefined ? { value, unit } : { value: scale(value, count), unit: null };
}

/**
 * The value in the unit of its series: converts times, bytes and prefixes of the same unit. Null if the units do not
 * match, or if one is a percentage and the other a bare number: those must not be compared.
 */
export function inUnit(quantity: Quantity, wanted: string): number | null {
  const { value, unit } = quantity;
  if (unit === wanted) return value;
  if (unit === null) return wanted === '%' ? null : value;
  const [a, b] = [familyOf(unit), familyOf(wanted)];
  if (a.base === b.base) return scale(value, a.factor / b.factor);
  // `1.5G`, where others write `GB`.
  const count = COUNTS[unit];
  return count !== undefined && /^b$/i.test(b.base) ? scale(value, count / b.factor) : null;
}

/** Base and factor of a unit; for a rate, of the part before the slash. */
function familyOf(unit: string): { readonly factor: number; readonly base: string } {
  const [above = '', below] = unit.split('/');
  const rest = below === undefined ? '' : `/${below}`;
  const seconds = SECONDS[above];
  if (seconds !== undefined) return { factor: seconds, base: `s${rest}` };
  const [, prefix = '', binary = '', base = above] = PREFIXED.exec(above) ?? [];
  const power = prefix === '' ? 0 : 'KMGT'.indexOf(prefix.toUpperCase()) + 1;
  return { factor: (binary ? 1024 : 1000) ** power, base: `${base.toLowerCase()}${rest}` };
}

/** The upper of two middle values; null for an empty list. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
