/**
 * Time as tests may assert it. Machines differ in speed and load, so tests of how long work takes measure processor
 * time, and limits in wall time grow with how slow the machine is at that moment. Nothing else in the tests has a
 * time limit except the runner (`TEST_LIMIT_MS`) and single waits.
 */

/** The runner ends a test that hangs after this time. */
export const TEST_LIMIT_MS = 600_000;
/** The longest wait for one thing, so that a fault which all tests of a file meet does not take hours. */
export const UNTIL_MS = TEST_LIMIT_MS / 2;
/** The longest wait in a window test, short enough that the runner can still report what it waited for. */
export const WAIT_MS = 180_000;

/** Processor time used by this process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** This much processor time shows what share of it this process gets. */
const PROBE_MS = 40;

/** How many times longer work takes right now than on an idle machine; at least 1. */
export function slowness(): number {
  const [cpu, wall] = [cpuMs(), performance.now()];
  while (cpuMs() - cpu < PROBE_MS);
  return Math.max(1, (performance.now() - wall) / PROBE_MS);
}
