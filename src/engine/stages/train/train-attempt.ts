import type { RepeatPurpose, Study } from '../../../shared/study.ts';
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
