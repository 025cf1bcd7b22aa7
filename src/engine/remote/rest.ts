/** By then a run that has filled the disk it shares with this one was ended, and its files are removed. */
const ROOM_MS = 15_000;

/** Returns a function that says whether a disk that is full may have room again soon. */
export function passingFull(): () => boolean {
  const since = performance.now();
  return () => performance.now() - since < ROOM_MS;
}

/** Waits a moment, or until the signal is aborted. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
