/**
 * Time as tests may assert it. A machine is as fast as it is and as busy as it happens to be, so what is said about the time
 * that work takes is said about the processor's, and what has to be said about the clock on the wall grows with how slow
 * the machine is at that moment. Nothing else in the tests limits anything but the runner (`TEST_LIMIT_MS`).
 */

/** A test that hangs is ended after this. */
export const TEST_LIMIT_MS = 600_000;
/** What a window's test waits for may take this long, so that the runner can still say what it waited for. */
export const WAIT_MS = 180_000;

/** Processor time this process has taken so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Work of so many milliseconds of the processor shows how much of it this process is given. */
const PROBE_MS = 40;

/** How many times as long as on an idle machine work takes right now; at least 1. */
export function slowness(): number {
  const [cpu, wall] = [cpuMs(), performance.now()];
  while (cpuMs() - cpu < PROBE_MS);
  return Math.max(1, (performance.now() - wall) / PROBE_MS);
}
