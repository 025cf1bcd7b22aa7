/** What this browser or window keeps of itself. Where nothing can be stored, the next start is like the first. */

export function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {}
}

const STUDY_KEY = 'pawl.study';

/** The study that was open last, or null. */
export function lastStudy(): string | null {
  return read(STUDY_KEY);
}

export function rememberStudy(study: string): void {
  write(STUDY_KEY, study);
}

const UNWRITTEN_KEY = 'pawl.unwritten';

/** Keeps the part of the address after `#` that a reload of the page at `hash` is to open instead. */
export function keepForReload(hash: string, unwritten: string): void {
  try {
    sessionStorage.setItem(UNWRITTEN_KEY, `${hash} ${unwritten}`);
  } catch {}
}

/**
 * What the page before a reload has kept for `hash`; `hash` itself if that was nothing, or for another address, or if
 * the user entered the address.
 */
export function hashAfterReload(hash: string): string {
  try {
    const [from, unwritten] = sessionStorage.getItem(UNWRITTEN_KEY)?.split(' ') ?? [];
    sessionStorage.removeItem(UNWRITTEN_KEY);
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    return from === hash && unwritten && navigation?.type === 'reload' ? unwritten : hash;
  } catch {
    return hash;
  }
}
