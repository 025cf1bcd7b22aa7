/**
 * Limits on how many jobs somebody may have, as sbatch names them: QOSMaxSubmitJobPerUserLimit, AssocGrpSubmitJobsLimit and their
 * like. Source: "JOB REASON CODES" in squeue(1), and slurm_errno.c.
 */
const OF_MANY_JOBS = /\b(?:QOS|Assoc)\w*Submit\w*Limit\b|too many jobs/i;
/** Any other limit that is named is about this one job, and stays: a time, a size. */
const NAMED = /\b(?:QOS|Assoc)(?:Max|Min|Grp)\w+/;
/** Without a name it may be either. Waiting loses nothing, and the user sees what Slurm said. */
const OF_ACCOUNT = /violates accounting\/QOS policy/i;

/** Whether Slurm refused a job only because there are too many, so that it may take the same one later. */
export function isPassing(message: string): boolean {
  return OF_MANY_JOBS.test(message) || (OF_ACCOUNT.test(message) && !NAMED.test(message));
}
