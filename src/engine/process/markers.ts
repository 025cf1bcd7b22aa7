/** Carried in the environment by every process of a run. */
export function runMarker(studyId: string, n: number, k: number): string {
  return `${studyId}/${n}.${k}`;
}

/** Carried by every process of the user's hooks. */
export function hooksMarker(studyId: string): string {
  return `${studyId}/hooks`;
}

/** Carried by every process of a proposer that is asked for an experiment. */
export function proposerMarker(studyId: string, n: number): string {
  return `${studyId}/${n}.proposer`;
}
