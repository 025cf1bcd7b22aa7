import type { Contract } from '../../shared/contract/contract.ts';
import type { PreflightCheck } from '../../shared/contract/set-up.ts';
import type { Repository } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import type { CommitFiles } from '../sandbox/contain.ts';

/** Adds the outcome of a check. */
export type Add = (name: string, outcome: PreflightCheck['outcome'], detail: string) => void;

/** What a study would train. */
export type TrainingInput = {
  readonly repository: Repository;
  readonly commit: string;
  readonly contract: Contract;
  /** The commit's tree, if it is known already. */
  readonly tree?: CommitFiles['tree'];
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether runs are trained on other machines. */
  readonly isElsewhere?: boolean;
};
