/** What becomes of a note to the proposers. */
export type SteeringEffect = {
  /** A sentence for each thing that will be done otherwise. */
  readonly followed: readonly string[];
  /** What cannot be followed, and why. */
  readonly problems: readonly string[];
};
