import { type EndPorts, endJobs, folderThere } from './end-jobs.ts';

/** How long to try a machine that does not answer for the jobs of a removed study. */
const GIVE_UP_DAYS = 7;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Ends the jobs that removed studies have on other machines. A job whose machine has not answered for days is given up:
 * the machine may be gone for good, and only the user can know that.
 * @param closed the engine has no more time: then nothing is given up
 * @returns a sentence for what may still run, and for each job that was given up
 */
export async function endRemovedJobs(
  ports: EndPorts,
  now: number,
  closed: AbortSignal,
  limit: AbortSignal,
): Promise<readonly string[]> {
  const { ledger } = ports;
  const signal = AbortSignal.any([closed, limit]);
  const isOld = ({ removedSince }: { readonly removedSince: number }) =>
    now - removedSince >= GIVE_UP_DAYS * DAY_MS;
  const jobs = ledger.write(() => ledger.jobs.ofRemoved(now));
  const [left] = await Promise.all([
    endJobs(
      jobs.filter(job => !isOld(job)),
      ports,
      signal,
      { whose: 'a deleted study' },
    ),
    endJobs(jobs.filter(isOld), ports, signal),
  ]);
  if (closed.aborted) return [];
  const givenUp = ledger.write(() => ledger.jobs.ofRemoved(now)).filter(isOld);
  ledger.write(() => {
    for (const { marker } of givenUp) ledger.jobs.remove(marker);
  });
  const describe = (job: (typeof givenUp)[number]) =>
    `A job of a deleted study is given up, because its machine has not answered for ${GIVE_UP_DAYS} days: ${folderThere(job)}. Whether it has ended is not known.`;
  return [...left, ...givenUp.map(describe)];
}
