/** The marker in the environment of every process of a run. */
export function runMarker(studyId: string, n: number, k: number): string {
  return `${studyId}/${n}.${k}`;
}

/**
 * The marker of every process of a run's job. The next engine ends processes with {@link runMarker}, but a job continues, even if its
 * machine is this one.
 */
export function jobMarker(studyId: string, n: number, k: number): string {
  return `${studyId}.job/${n}.${k}`;
}

/** The marker of every process of the user's hooks. */
export function hooksMarker(studyId: string): string {
  return `${studyId}/hooks`;
}

/** The marker of every process of a proposer that works on an experiment. */
export function proposerMarker(studyId: string, n: number): string {
  return `${studyId}/${n}.proposer`;
}
