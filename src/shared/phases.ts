/** The phase of an experiment. */
export const PHASES = [
  'proposing',
  /** In approve mode: the proposal waits for the user. */
  'reviewing',
  'applying',
  'attempted',
  'training',
  'measuring',
  'deciding',
  'recorded',
  /** The user stopped it, or its engine died; it goes on when its study does. */
  'interrupted',
  /** It was left for later because it could not be run then. */
  'put_off',
] as const;
export type Phase = (typeof PHASES)[number];

/** Whether it has no verdict and waits for its study to go on with it. */
export function isLeft(phase: Phase | undefined): boolean {
  return phase === 'interrupted' || phase === 'put_off';
}

/** A phase as a word for people. */
export function phaseWord(phase: Phase): string {
  return phase.replace('_', ' ');
}
