import { dataPaths } from '../../engine/paths.ts';
import { jobName } from '../../engine/remote/describe-job.ts';
import { folderThere } from '../../engine/session/jobs/end-jobs.ts';
import { giveUpJobs, listJobs } from '../../engine/session/jobs/known-jobs.ts';
import { isEngineRunning } from '../../engine/store/engine-lock.ts';
import { openLedger } from '../../engine/store/ledger.ts';
import type { LeftJob } from '../../shared/machines/left-jobs.ts';
import { clip, tableText } from '../format.ts';
import { print } from '../print.ts';

/** Lists jobs on other machines that may still run, or gives some up. */
export async function jobs(flags: {
  readonly giveUp?: readonly string[];
  readonly json?: boolean;
}): Promise<void> {
  const paths = dataPaths(process.env);
  const isRunning = isEngineRunning(paths);
  const ledger = openLedger(paths.ledger);
  try {
    if (flags.giveUp) {
      const given = await giveUpJobs(flags.giveUp, { ledger, paths, isEngineRunning: isRunning });
      for (const job of given)
        print(`${jobName(job.marker)} is given up. Whether it has ended is not known: ${folderThere(job)}`);
      return;
    }
    const all = listJobs(ledger, isRunning);
    if (flags.json) print(JSON.stringify(all));
    else if (all.length === 0) print('No job is known on another machine.');
    else print(tableText(all.map(rowOf), ['left', 'left', 'left', 'left']));
  } finally {
    ledger.close();
  }
}

function rowOf({ id, study, experiment, isUnderWay, folder }: LeftJob): readonly string[] {
  const of = study === null ? 'a deleted study' : `${clip(study, 40)} #${experiment}`;
  return [id, of, isUnderWay ? 'under way' : 'may still run', clip(folder, 200)];
}
