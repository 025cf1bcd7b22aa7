import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../../shared/machines/cluster.ts';
import { findProgram } from '../../process/find-program.ts';
import { type NodeAnswers, type NodeCheck, nodeChecks, QUESTIONS, readAnswers } from '../node-checks.ts';
import { quote } from '../quote.ts';
import { EXPORT, loginScript } from './batch-script.ts';
import { classifyEnd, isOver } from './classify.ts';
import { QUEUE_INTERVAL_MS, SlurmQueue } from './queue.ts';
import { type SlurmClient, slurmClient } from './slurm-client.ts';

/** If a job of one second waits for longer than this, the wait itself is the finding. */
const WAIT_MS = 120_000;
const LOOK_MS = 500;
/** How long an answer may take to become visible here once its job is over. */
const GRACE_MS = 10_000;
const ANSWER_BYTES = 16_384;
const PROGRAMS = ['sbatch', 'squeue', 'scancel'] as const;

export type ProbeOptions = {
  readonly cluster: Cluster;
  /** `cluster.folder` without `~`. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether a node without a sandbox trains nothing. */
  readonly needsSandbox: boolean;
  readonly queueIntervalMs?: number;
  readonly waitMs?: number;
};

/**
 * Whether runs could be trained there: checks Slurm's programs, its answer to the options, and the environment of a
 * job of one second.
 */
export async function probeCluster(options: ProbeOptions): Promise<readonly NodeCheck[]> {
  const { environment, cluster } = options;
  const found = await Promise.all(PROGRAMS.map(name => findProgram(name, environment.PATH ?? '')));
  const missing = PROGRAMS.filter((_, at) => found[at] === null);
  if (missing.length > 0) {
    const detail = `${missing.join(', ')} not found on the PATH: run Pawl on a login node of the cluster.`;
    return [{ name: 'Slurm', outcome: 'failed', detail }];
  }
  const client = slurmClient(environment);
  const tried = await client('sbatch', [...cluster.sbatch, '--test-only', '--time=1', '--wrap=true']);
  if (tried.kind !== 'answer') return [{ name: 'Slurm', outcome: 'failed', detail: tried.message }];
  const given = cluster.sbatch.length === 0 ? 'no further options' : cluster.sbatch.join(' ');
  const slurm: NodeCheck = { name: 'Slurm', outcome: 'ok', detail: `it would take a job with ${given}` };
  try {
    await mkdir(options.root, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(join(options.root, 'probe-'));
    try {
      return [slurm, ...(await askNode(folder, client, options))];
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  } catch (error) {
    return [slurm, { name: 'cluster folder', outcome: 'failed', detail: (error as Error).message }];
  }
}

async function askNode(
  folder: string,
  client: SlurmClient,
  { cluster, needsSandbox, queueIntervalMs = QUEUE_INTERVAL_MS, waitMs = WAIT_MS }: ProbeOptions,
): Promise<readonly NodeCheck[]> {
  const answering = `{\n${QUESTIONS}\n} >answer.part; mv answer.part answer\n`;
  const script = loginScript(cluster, [`cd ${quote(folder)} || exit 1`, answering]);
  const own = ['--parsable', '--job-name=pawl-doctor', '--time=1', EXPORT, '--output=/dev/null'];
  const answer = await client('sbatch', [...cluster.sbatch, ...own], { stdin: script });
  if (answer.kind !== 'answer') return [{ name: 'Slurm', outcome: 'failed', detail: answer.message }];
  const id = /^\d+/.exec(answer.text)?.[0] ?? '';
  const queue = new SlurmQueue(client, queueIntervalMs);
  let reason: string | null = null;
  let over: { readonly since: number; readonly state: string | null } | null = null;
  const end = queue.subscribe(listing => {
    if (listing.kind !== 'jobs') return;
    const job = listing.jobs.find(each => each.id === id);
    reason = job?.reason ?? null;
    if (!job || isOver(job.state)) over ??= { since: performance.now(), state: job?.state ?? null };
  });
  try {
    for (const began = performance.now(); performance.now() - began < waitMs; await delay(LOOK_MS)) {
      const said = await readAnswer(join(folder, 'answer'));
      if (said !== null)
        return [
          { name: 'cluster folder', outcome: 'ok', detail: `seen on ${said.get('node')?.[0]}` },
          ...nodeChecks(said, needsSandbox),
        ];
      const ended = over as { readonly since: number; readonly state: string | null } | null;
      if (ended !== null && performance.now() - ended.since > GRACE_MS)
        return [noAnswer(folder, ended.state)];
    }
  } finally {
    end();
    await client('scancel', [id]);
  }
  const why = reason === null ? '' : ` (${reason})`;
  const detail = `A job of one second has waited for ${waitMs / 1000} s${why}, so nothing is known about the nodes.`;
  return [{ name: 'cluster node', outcome: 'warning', detail }];
}

function noAnswer(folder: string, state: string | null): NodeCheck {
  const end = classifyEnd(state, '');
  const why = 'message' in end ? end.message : '';
  const detail = `A job left nothing in ${folder}: the nodes have to see this folder under the same name. ${why}`;
  return { name: 'cluster folder', outcome: 'failed', detail };
}

/** Null until there is one. */
async function readAnswer(path: string): Promise<NodeAnswers | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (!handle) return null;
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(ANSWER_BYTES), 0, ANSWER_BYTES, 0);
    return readAnswers(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await handle.close();
  }
}
