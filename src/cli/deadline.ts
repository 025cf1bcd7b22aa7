import { PawlError } from '../shared/errors.ts';

/** Reads `8h`, `90m`, `07:30` (the next one to come) or an ISO 8601 time. Throws `usage`. */
export function parseDeadline(text: string, now: Date): Date {
  const span = /^(\d+(?:\.\d+)?)\s*(h|m|min)$/.exec(text);
  if (span) return new Date(now.getTime() + Number(span[1]) * (span[2] === 'h' ? 3_600_000 : 60_000));
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock) {
    const time = new Date(now);
    time.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    if (time <= now) time.setDate(time.getDate() + 1);
    return time;
  }
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new PawlError('usage', `"${text}" is no deadline: write "8h", "07:30" or an ISO time.`);
  }
  if (time <= now) throw new PawlError('usage', `The deadline ${text} has passed already.`);
  return time;
}
