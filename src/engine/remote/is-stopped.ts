/**
 * Whether the user has asked for an end. Throws any other reason: a failure here, for example in another lane, says
 * nothing about a job, whose result the next engine takes.
 */
export function isStopped(signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  const { reason } = signal;
  if (reason instanceof DOMException && reason.name === 'AbortError') return true;
  throw reason;
}
