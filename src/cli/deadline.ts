import { PawlError } from '../shared/errors.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** Reads `8h`, `90m`, `07:30` (its next occurrence) or an ISO 8601 time. Throws `usage`. */
export function parseDeadline(text: string, now: Date): Date {
  const span = /^(\d+(?:\.\d+)?)\s*(h|m|min)$/.exec(text);
  if (span) return new Date(now.getTime() + Number(span[1]) * (span[2] === 'h' ? 60 : 1) * MINUTE_MS);
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock) return nextTimeOfDay(Number(clock[1]) * 60 + Number(clock[2]), now);
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new PawlError('usage', `"${text}" is not a deadline: write "8h", "07:30" or an ISO time.`);
  }
  if (time <= now) throw new PawlError('usage', `The deadline ${text} has already passed.`);
  return time;
}

/**
 * The first moment after `now` at which the local clock shows this minute of the day, or skips it. When a clock is
 * put back it shows a minute twice, and when it is put forward it skips some, at hours and by amounts that differ
 * between time zones. Stepping minute by minute is right in all of them, and a day has few minutes.
 */
function nextTimeOfDay(minute: number, now: Date): Date {
  const time = new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS);
  for (;;) {
    const before = minuteOfDay(time);
    time.setTime(time.getTime() + MINUTE_MS);
    const after = minuteOfDay(time);
    const moved = (after - before + DAY_MINUTES) % DAY_MINUTES;
    const isForward = moved < DAY_MINUTES / 2;
    const wanted = (minute - before + DAY_MINUTES) % DAY_MINUTES;
    if (after === minute || (isForward && wanted > 0 && wanted < moved)) return time;
  }
}

function minuteOfDay(time: Date): number {
  return time.getHours() * 60 + time.getMinutes();
}
