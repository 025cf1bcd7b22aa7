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
