/**
 * Whether the user has asked for an end. Throws whatever else was the reason: what has failed here, in another lane for instance, says
 * nothing of a job, whose result the next engine takes.
 */
export function isStopped(signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const { reason } = signal;
  if (reason instanceof DOMException && reason.name === 'AbortError') return true;
  throw reason;
}
