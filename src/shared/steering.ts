/** What happens to a note to the proposers. */
export type SteeringEffect = {
  /** One sentence for each thing that will be done differently. */
  readonly followed: readonly string[];
  /** What cannot be followed, and why. */
  readonly problems: readonly string[];
};
