import type { RepeatPurpose, Study } from '../../../shared/study.ts';
import { beginRun } from './begin-run.ts';
import { concludeRun } from './conclude-run.ts';
import { conductRun } from './conduct-run.ts';
import type { EndedRun } from './ended-run.ts';
import type { TrainPorts } from './train-ports.ts';

/**
 * One run: written down, trained, measured. The worktree must be exactly the attempt. Rejects with `disk_full` when
 * the output could not be kept.
 * @param purpose of a run of a commit that has its verdict: its experiment stays recorded, and the run is never hopeless
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
