import type { JobHost, Standing } from '../follow-job.ts';
import { ANSWER_MS } from '../remote-training.ts';
import { classifyEnd, isOver, isWaiting } from './classify.ts';
import type { Listing, SlurmQueue } from './queue.ts';
import type { SlurmClient } from './slurm-client.ts';

/** One Slurm job. Another job of the same name is cancelled: it would train nothing. */
export function slurmJob(id: string, name: string, client: SlurmClient, queue: SlurmQueue): JobHost {
  const removed = new Set<string>();
  let isActive = false;
  const removeOthers = (listing: Listing) => {
    if (listing.kind !== 'jobs') return;
    for (const other of listing.jobs) {
      const isOther = other.name === name && other.id !== id && !isOver(other.state);
      if (!isOther || removed.has(other.id)) continue;
      removed.add(other.id);
      void client('scancel', [other.id]);
    }
  };
  return {
    subscribe: listener =>
      queue.subscribe(listing => {
        removeOthers(listing);
        const standing = standingOf(id, listing);
        if (standing.kind !== 'unreachable') isActive = standing.kind === 'active';
        listener(standing);
      }),
    cancel: async () => {
      const answer = await client('scancel', [id], { signal: AbortSignal.timeout(ANSWER_MS) });
      // One that runs looks into its folder.
      return answer.kind !== 'unreachable' || isActive;
    },
    explain: async (state, said) => classifyEnd(state ?? (await recordedState(id, client)), said),
  };
}

function standingOf(id: string, listing: Listing): Standing {
  if (listing.kind === 'unreachable') return listing;
  const job = listing.jobs.find(each => each.id === id);
  if (!job || isOver(job.state)) return { kind: 'over', state: job?.state ?? null };
  return isWaiting(job.state) ? { kind: 'waiting', reason: job.reason } : { kind: 'active' };
}

/** The state in Slurm's accounting; null if the cluster has no accounting. */
async function recordedState(id: string, client: SlurmClient): Promise<string | null> {
  const args = [`--jobs=${id}`, '--allocations', '--noheader', '--parsable2', '--format=State'];
  const answer = await client('sacct', args);
  return answer.kind === 'answer' ? answer.text.trim().split('\n')[0] || null : null;
}
