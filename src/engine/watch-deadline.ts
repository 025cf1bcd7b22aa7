import { clamp } from '../shared/numbers.ts';

/** Node takes a longer wait for none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls `look` when a time has come, and sometimes before: a timer may fire a little early, and none is as long as
 * some deadlines.
 * @param deadline milliseconds since the epoch; may be infinite
 * @returns stops the watch
 */
export function watchDeadline(deadline: number, now: () => number, look: () => void): () => void {
  let timer: NodeJS.Timeout;
  const watch = () => {
    timer = setTimeout(
      () => {
        if (now() < deadline) watch();
        look();
      },
      clamp(deadline - now(), 1, LONGEST_TIMER_MS),
    );
  };
  watch();
  return () => clearTimeout(timer);
}
