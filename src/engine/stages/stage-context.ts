import type { Study } from '../../shared/study.ts';
import type { ProposalSource } from './propose/proposal-source.ts';
import type { ReviewDesk } from './review/review-desk.ts';
import type { TrainPorts } from './train/train-ports.ts';

/** What every stage works with. What one stage makes for the next travels in its result, and never here. */
export type StageContext = TrainPorts & {
  readonly study: Study;
  readonly source: ProposalSource;
  readonly desk: ReviewDesk;
  /** Author and committer of the commits, as git reads them from the environment. */
  readonly identity: Readonly<Record<string, string>>;
};
