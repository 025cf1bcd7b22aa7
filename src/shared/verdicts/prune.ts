import { shortNumber } from '../short-number.ts';

/** The evidence for ending a hopeless run. Shares of the metric are positive if it is worse than the incumbent. */
export type PruneEvidence = {
  /** Name of the series. */
  readonly series: string;
  /** How much of its training was done, from 0 to 1. */
  readonly share: number;
  readonly value: number;
  /** The incumbent's value at the same share. */
  readonly incumbentValue: number;
  /** How far it was behind, as a share of the incumbent's value at that point. */
  readonly behind: number;
  /** The most that an earlier run caught up from this point, with a margin; as the same share. */
  readonly caughtUp: number;
  /** The number of earlier runs behind this. */
  readonly runs: number;
};

/** Why a run was ended early, for the user. */
export function describePrune(evidence: PruneEvidence): string {
  const { series, share, value, incumbentValue, behind, caughtUp, runs } = evidence;
  const percent = (part: number) => `${shortNumber(100 * part)} %`;
  return (
    `ended after ${Math.round(100 * share)} % of its training: ${series} ${shortNumber(value, 5)}, against the incumbent's ` +
    `${shortNumber(incumbentValue, 5)} at that point; ${percent(behind)} behind, and the ${runs} runs before it ` +
    `caught up at most ${percent(caughtUp)}`
  );
}
