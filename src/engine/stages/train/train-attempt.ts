import type { RepeatPurpose, Study } from '../../../shared/study.ts';
import type { Denial } from '../../model-in-training/answers.ts';
import { beginRun } from './begin-run.ts';
import { concludeRun } from './conclude-run.ts';
import { conductRun } from './conduct-run.ts';
import type { EndedRun } from './ended-run.ts';
import type { TrainPorts } from './train-ports.ts';

/**
 * Records, trains and measures one run. The worktree must match the attempt exactly. Rejects with `disk_full` if the
 * output could not be kept.
 * @param purpose set if the commit already has its verdict: its experiment then stays recorded, and the run is never
 * ended as hopeless
 */
export async function trainAttempt(
  study: Study,
  n: number,
  commit: string,
  ports: TrainPorts,
  purpose: RepeatPurpose | null = null,
): Promise<EndedRun> {
  const begun = await beginRun(study, { n, commit, purpose }, ports);
  const conducted = await conductRun(begun, ports);
  return concludeRun(begun, conducted, ports);
}

/**
 * Runs `work` for experiment `n` while the model that the contract names answers its questions, if it names one.
 * @returns its value, and why a question got no answer; null if all did, or none may be asked
 */
export async function withAnswers<T>(
  { model }: Pick<TrainPorts, 'model'>,
  n: number,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly denial: Denial | null }> {
  return model ? model.during(n, work) : { value: await work(), denial: null };
}
