import type { Study } from '../../shared/study.ts';
import type { ProposalSource } from './propose/proposal-source.ts';
import type { ReviewDesk } from './review/review-desk.ts';
import type { TrainPorts } from './train/train-ports.ts';

/** What every stage uses. Results for the next stage are returned, never stored here. */
export type StageContext = TrainPorts & {
  readonly study: Study;
  readonly source: ProposalSource;
  readonly desk: ReviewDesk;
  /** Author and committer for commits, as environment variables for git. */
  readonly identity: Readonly<Record<string, string>>;
};
