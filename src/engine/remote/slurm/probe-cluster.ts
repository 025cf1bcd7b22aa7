import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../../shared/cluster.ts';
import { findProgram } from '../../process/find-program.ts';
import { quote } from '../quote.ts';
import { openingLines } from './batch-script.ts';
import { classifyEnd, isOver } from './classify.ts';
import { QUEUE_INTERVAL_MS, SlurmQueue } from './queue.ts';
import { type SlurmClient, slurmClient } from './slurm-client.ts';

/** A job of a second that waits for longer says something of the cluster, too. */
const WAIT_MS = 120_000;
const LOOK_MS = 500;
/** How long an answer may take to be seen here once its job is over. */
const GRACE_MS = 10_000;
const ANSWER_BYTES = 16_384;
const PROGRAMS = ['sbatch', 'squeue', 'scancel'] as const;

/** What a check found; for anything but `ok`, `detail` says what to do. */
export type ClusterCheck = {
  readonly name: string;
  readonly outcome: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
};

/** What a node says of itself, line by line: name, `=`, and what was found. */
const QUESTIONS = `{
echo "node=$(uname -n)"
echo "python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>&1 | tail -n 1)"
echo "git=$(git --version 2>&1 | tail -n 1)"
echo "bwrap=$(bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid --unshare-net true 2>&1 && echo works)"
echo "gpus=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | sort | uniq -c | tr -s ' \\n' ' ')"
} >answer.part; mv answer.part answer`;

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

/** Whether runs could be trained there: Slurm's programs, its answer to the options, and what a job of one second sees. */
export async function probeCluster(options: ProbeOptions): Promise<readonly ClusterCheck[]> {
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
  const slurm: ClusterCheck = { name: 'Slurm', outcome: 'ok', detail: `it would take a job with ${given}` };
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
): Promise<readonly ClusterCheck[]> {
  const script = [...openingLines(cluster), `cd ${quote(folder)} || exit 1`, QUESTIONS, ''].join('\n');
  const own = ['--parsable', '--job-name=pawl-doctor', '--time=1', '--export=NIL', '--output=/dev/null'];
  const answer = await client('sbatch', [...cluster.sbatch, ...own], script);
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
      if (said !== null) return nodeChecks(said, needsSandbox);
      const ended = over as { readonly since: number; readonly state: string | null } | null;
      if (ended !== null && performance.now() - ended.since > GRACE_MS)
        return [noAnswer(folder, ended.state)];
    }
  } finally {
    end();
    await client('scancel', [id]);
  }
  const why = reason === null ? '' : ` (${reason})`;
  const detail = `A job of one second has waited for ${waitMs / 1000} s${why}: nothing is known of the nodes.`;
  return [{ name: 'cluster node', outcome: 'warning', detail }];
}

function noAnswer(folder: string, state: string | null): ClusterCheck {
  const end = classifyEnd(state, '');
  const why = 'message' in end ? end.message : '';
  const detail = `A job left nothing in ${folder}: the nodes have to see this folder under the same name. ${why}`;
  return { name: 'cluster folder', outcome: 'failed', detail };
}

function nodeChecks(said: ReadonlyMap<string, string>, needsSandbox: boolean): readonly ClusterCheck[] {
  const node = said.get('node') ?? '?';
  const python = said.get('python') ?? '';
  const git = said.get('git') ?? '';
  const bwrap = said.get('bwrap') ?? '';
  const gpus = said.get('gpus')?.trim() ?? '';
  const none = `${node} cannot contain a training: ${bwrap || 'bubblewrap said nothing'}. Nothing is trained there unless sandbox.mode is "off".`;
  const [major = 0, minor = 0] = python.split('.').map(Number);
  const isRecent = major > 3 || (major === 3 && minor >= 8);
  const check = (name: string, isGood: boolean, good: string, bad: string): ClusterCheck => ({
    name,
    outcome: isGood ? 'ok' : 'failed',
    detail: isGood ? good : bad,
  });
  return [
    { name: 'cluster folder', outcome: 'ok', detail: `seen on ${node}` },
    check(
      'Python there',
      isRecent,
      python,
      `Pawl needs Python 3.8 or later on ${node}: ${python || 'none'}.`,
    ),
    check(
      'git there',
      /^git version/.test(git),
      git.replace('git version ', ''),
      `${node} has no git: ${git}`,
    ),
    ...(needsSandbox ? [check('sandbox there', bwrap === 'works', `bubblewrap works on ${node}`, none)] : []),
    {
      name: 'GPU there',
      outcome: gpus === '' ? 'warning' : 'ok',
      detail: gpus === '' ? `nvidia-smi finds none on ${node}. Fine for a training that needs none.` : gpus,
    },
  ];
}

/** Null as long as there is none. What is in it was written by whatever the prelude made of the node's programs. */
async function readAnswer(path: string): Promise<ReadonlyMap<string, string> | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (!handle) return null;
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(ANSWER_BYTES), 0, ANSWER_BYTES, 0);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    return new Map(
      lines.map(line => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1, at + 300)] as const;
      }),
    );
  } finally {
    await handle.close();
  }
}
