import { setTimeout as delay } from 'node:timers/promises';

/**
 * A clock that stands still while this machine sleeps, and while this process is stopped, because then what it runs is
 * usually stopped too: in a paused container or virtual machine, and by SIGSTOP.
 */

const BEAT_MS = 1_000;
/** Nothing that this process does itself holds it up for so long. */
const STOPPED_MS = 5_000;

let beatAt = performance.now();
let lostMs = 0;
let isBeating = false;

/** Milliseconds since some moment. */
export function awakeMs(): number {
  if (!isBeating) setInterval(beat, BEAT_MS).unref();
  isBeating = true;
  return beat();
}

/** Waits until this clock has advanced by `ms`. Rejects once aborted. */
export async function awakeDelay(ms: number, signal: AbortSignal): Promise<void> {
  const until = awakeMs() + ms;
  for (let left = ms; left > 0; left = until - awakeMs()) await delay(left, undefined, { signal });
}

function beat(): number {
  const now = performance.now();
  if (now - beatAt > STOPPED_MS) lostMs += now - beatAt;
  beatAt = now;
  return now - lostMs;
}
