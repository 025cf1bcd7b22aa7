import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PawlError } from '../../../shared/errors.ts';
import type { LeftJob } from '../../../shared/machines/left-jobs.ts';
import type { DataPaths } from '../../paths.ts';
import { jobName } from '../../remote/describe-job.ts';
import { jobFolder, writeCancel } from '../../remote/job-folder.ts';
import type { Job } from '../../store/jobs.ts';
import type { Ledger } from '../../store/ledger.ts';
import { folderThere, hostFolder } from './end-jobs.ts';

const CANCEL_MS = 5_000;

/**
 * Jobs on other machines that may still run, of all studies.
 * @param isEngineRunning as for {@link giveUpJobs}
 */
export function listJobs(ledger: Ledger, isEngineRunning: boolean): readonly LeftJob[] {
  const mayRun = ledger.jobs.all().filter(({ hasEnded }) => !hasEnded);
  return mayRun.map(job => ({
    ...{ id: jobName(job.marker), study: job.tag, experiment: job.n, folder: folderThere(job) },
    isUnderWay: job.isAwaited && isEngineRunning,
  }));
}

/**
 * Forgets jobs whose machine is gone for good, so that nobody asks for them any more. Rejects with `usage`, and then gives up none, for a
 * name that no job has, and for a run that is under way.
 * @param isEngineRunning whether runs without an end are under way, and not left by an engine that died
 */
export async function giveUpJobs(
  names: readonly string[],
  { ledger, paths, isEngineRunning }: { ledger: Ledger; paths: DataPaths; isEngineRunning: boolean },
): Promise<readonly Job[]> {
  const given = findGiven(names, ledger, isEngineRunning);
  // Before it is forgotten: what still waits in a queue must not begin when nobody asks for it any more.
  await Promise.all(given.map(job => cancelWaiting(job)));
  ledger.write(() => {
    for (const { marker } of findGiven(names, ledger, isEngineRunning)) ledger.jobs.remove(marker);
  });
  for (const { marker, place } of given) {
    if (place.kind !== 'ssh') continue;
    await rm(jobFolder(hostFolder(paths, place.host), marker).path, { recursive: true, force: true });
  }
  return given;
}

function findGiven(names: readonly string[], ledger: Ledger, isEngineRunning: boolean): readonly Job[] {
  const all = ledger.jobs.all();
  return names.map(name => {
    const job = all.find(({ marker }) => jobName(marker) === name);
    if (!job) throw new PawlError('usage', `There is no job ${name}. "pawl jobs" lists them.`);
    if (job.isAwaited && isEngineRunning)
      throw new PawlError(
        'usage',
        `${name} is under way. Stop the study, or this run ("pawl stop --run ${job.n}"), first.`,
      );
    return job;
  });
}

/** In a folder that other machines share: should one of them begin the job after all, it trains nothing. */
async function cancelWaiting({ marker, place }: Job): Promise<void> {
  if (place.kind === 'ssh') return;
  const written = writeCancel(jobFolder(place.folder, marker)).catch(() => {});
  // The folder of a cluster that is gone may not answer at all.
  await Promise.race([written, delay(CANCEL_MS, undefined, { ref: false })]);
}
