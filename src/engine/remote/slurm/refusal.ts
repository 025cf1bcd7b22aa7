/**
 * Limits on the number of a user's jobs, as sbatch names them, such as QOSMaxSubmitJobPerUserLimit and
 * AssocGrpSubmitJobsLimit. Source: "JOB REASON CODES" in squeue(1), and slurm_errno.c.
 */
const OF_MANY_JOBS = /\b(?:QOS|Assoc)\w*Submit\w*Limit\b|too many jobs/i;
/** Any other named limit is about this one job, such as a time or a size, and will not pass. */
const NAMED = /\b(?:QOS|Assoc)(?:Max|Min|Grp)\w+/;
/** Without a name it may be either. Waiting loses nothing, and the user sees Slurm's message. */
const OF_ACCOUNT = /violates accounting\/QOS policy/i;

/** Whether Slurm refused a job only because there are too many, so that it may accept the same one later. */
export function isPassing(message: string): boolean {
  return OF_MANY_JOBS.test(message) || (OF_ACCOUNT.test(message) && !NAMED.test(message));
}

/** Whether a node that was named does not exist. Source: ESLURM_INVALID_NODE_NAME in slurm_errno.c. */
export function isOfUnknownNode(message: string): boolean {
  return /invalid node name/i.test(message);
}
