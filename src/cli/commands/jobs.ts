import { dataPaths } from '../../engine/paths.ts';
import { jobName } from '../../engine/remote/describe-job.ts';
import { folderThere } from '../../engine/session/end-jobs.ts';
import { giveUpJobs } from '../../engine/session/give-up-jobs.ts';
import { isEngineRunning } from '../../engine/store/engine-lock.ts';
import type { ListedJob } from '../../engine/store/jobs.ts';
import { openLedger } from '../../engine/store/ledger.ts';
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
    const all = ledger.jobs.all();
    if (flags.json) print(JSON.stringify(all.map(job => describe(job, isRunning))));
    else if (all.length === 0) print('No job is known on another machine.');
    else
      print(
        tableText(
          all.map(job => rowOf(describe(job, isRunning))),
          ['left', 'left', 'left', 'left'],
        ),
      );
  } finally {
    ledger.close();
  }
}

function describe(job: ListedJob, isRunning: boolean) {
  const { marker, tag, n, isAwaited } = job;
  const state = isAwaited && isRunning ? 'under way' : 'may still run';
  return { id: jobName(marker), study: tag, experiment: n, state, folder: folderThere(job) };
}

function rowOf({ id, study, experiment, state, folder }: ReturnType<typeof describe>): readonly string[] {
  return [
    id,
    study === null ? 'a deleted study' : `${clip(study, 40)} #${experiment}`,
    state,
    clip(folder, 200),
  ];
}
