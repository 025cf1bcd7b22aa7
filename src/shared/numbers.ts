/**
 * The notebook's formats of numbers and times. A number that was not measured is an en dash. What is rounded up to the
 * next unit is written in it: a format changes where the rounded number does.
 */

export const ABSENT = '–';
export const MINUS = '−';

/**
 * A number with groups of three digits and from `least` to `most` decimals, rounded half away from zero as people do.
 * The same as English `Intl.NumberFormat`, whose first call costs a window as much time as its first cells.
 */
function write(value: number, least: number, most: number): string {
  const size = Math.abs(value);
  // The double 1.005 is slightly less than 1.005; adding one unit of the last bit makes a half round like a half.
  const text = size < 1e21 ? (size * (1 + Number.EPSILON)).toFixed(most) : BigInt(size).toString();
  const [whole = '', decimals = ''] = text.split('.');
  const kept = decimals.replace(/0+$/, '').padEnd(least, '0');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  const sign = value < 0 || Object.is(value, -0) ? MINUS : '';
  return `${sign}${grouped}${kept === '' ? '' : `.${kept}`}`;
}

/** At most `digits` significant digits, no exponent for everyday sizes, and a real minus sign. */
export function formatNumber(value: number | null | undefined, digits = 6): string {
  if (value === null || value === undefined) return ABSENT;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : `${MINUS}∞`;
  const size = Math.abs(value);
  if (size !== 0 && (size < 9.9995e-6 || size >= 1e9 - 0.5))
    return value.toExponential(3).replaceAll('-', MINUS);
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  const decimals = clamp(digits - whole, 0, 8);
  return write(value, 0, decimals);
}

/** A metric: six decimals as upstream prints it if it is small, so that columns line up. */
export function formatMetric(value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT;
  if (!Number.isFinite(value)) return formatNumber(value);
  const size = Math.abs(value);
  const decimals = size < 99.9999995 ? 6 : size < 99_999.9995 ? 3 : 0;
  return write(value, decimals, decimals);
}

/** A difference with its sign; zero has none. */
export function formatDelta(value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT;
  const text = formatMetric(Math.abs(value));
  return value === 0 ? `±${text}` : `${value > 0 ? '+' : MINUS}${text}`;
}

export function finiteOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The nearest value that is not below `low` and not above `high`. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** A count with its noun: `1 note`, `2,000 notes`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : more}`;
}

/** Fractions of a cent are shown only for small amounts, and of the smallest their first two digits. */
export function formatUsd(usd: number): string {
  return `$${money(usd)}`;
}

function money(amount: number): string {
  const rounded = Number(amount.toPrecision(2));
  if (rounded > 0 && rounded < 0.001)
    return rounded.toFixed(Math.min(20, 1 - Math.floor(Math.log10(rounded))));
  return amount.toFixed(amount !== 0 && amount < 0.09995 ? 4 : 2);
}

/** Energy in Wh as `3.2 Wh` or `1.25 kWh`. */
export function formatEnergy(wh: number): string {
  return wh < 999.5 ? `${formatNumber(wh, 3)} Wh` : `${formatNumber(wh / 1_000, 3)} kWh`;
}

/** The cost of energy, or nothing if the user gave no price. Fractions of a cent are shown only for small amounts. */
export function formatElectricity(
  wh: number,
  { price, currency }: { readonly price: number | null; readonly currency: string },
): string | null {
  if (price === null) return null;
  const amount = (wh / 1_000) * price;
  // A currency sign directly precedes its amount; a word gets a space.
  const gap = /\p{L}$/u.test(currency) ? '\u00a0' : '';
  return `${currency}${gap}${money(amount)}`;
}

export function formatPercent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return ABSENT;
  return `${(share * 100).toFixed(digits).replace('-', MINUS)} %`;
}

/** Seconds as `6.8 s`, `4 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return ABSENT;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/**
 * A time limit, or what was measured against one: in seconds up to two minutes, otherwise `5 min 30 s`, `1 h`.
 * @param decimals of seconds; by default as many as were written
 */
export function formatSeconds(seconds: number, decimals?: number): string {
  if (seconds <= 120) return `${decimals === undefined ? seconds : seconds.toFixed(decimals)} s`;
  return formatDuration(seconds).replace(/ 00 (?:s|min)$/, '');
}

/** A running clock: `4:05`, `1:02:05`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return ABSENT;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 99.95 ? 0 : 1)} ${units[unit]}`;
}

/** The time until now in words: `just now`, `12 min ago`, `3 days ago`. */
export function formatRelative(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (seconds < 45) return 'just now';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 36) return `${hours} h ago`;
  return `${Math.round(hours / 24)} days ago`;
}

let clockTime: Intl.DateTimeFormat | undefined;
let dayTime: Intl.DateTimeFormat | undefined;

/** The time as `06:42` if it is today, else with its day: `Tue 06:42`. */
export function formatDayTime(at: number, now: number): string {
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  if (new Date(at).toDateString() === new Date(now).toDateString()) {
    clockTime ??= new Intl.DateTimeFormat('en', time);
    return clockTime.format(at);
  }
  dayTime ??= new Intl.DateTimeFormat('en', { ...time, weekday: 'short', day: 'numeric' });
  return dayTime.format(at);
}

let exactTime: Intl.DateTimeFormat | undefined;

/** The first call is slow, because it loads the calendar. */
export function formatExactTime(at: number): string {
  exactTime ??= new Intl.DateTimeFormat(undefined, {
    ...{ dateStyle: 'medium', timeStyle: 'medium' },
    hourCycle: 'h23',
  });
  return exactTime.format(at);
}
