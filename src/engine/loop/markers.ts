/** Carried in the environment by every process of a run. */
export function runMarker(studyId: string, n: number, k: number): string {
  return `${studyId}/${n}.${k}`;
}

/** Carried by every process of a proposer that is asked for an experiment. */
export function proposerMarker(studyId: string, n: number): string {
  return `${studyId}/${n}.proposer`;
}
