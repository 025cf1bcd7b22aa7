import { setTimeout as delay } from 'node:timers/promises';
import { boundGpus } from '../../src/engine/machine/bind-gpu.ts';
import { type Context, whyNoTraining } from './context.ts';
import { type Load, startLoad } from './load.ts';
import { type Reading, readComputing } from './machine.ts';
import { type RunMeasured, runNanoGpt } from './nano-gpt.ts';
import { type Row, rowsOf } from './row.ts';

/** Limit until nvidia-smi reports a process that has begun to compute. */
const TOLD_MS = 15_000;
const ASK_MS = 500;

const { judged, skipped } = rowsOf('sharing');
const WHAT = 'a run beside a second process on the GPU';

/** Whether a run is flagged and repeated while another process computes on its GPU, and not flagged otherwise. */
export async function checkSharing(context: Context): Promise<readonly Row[]> {
  const { machine, signal, tell } = context;
  const { gpus, torch, environment } = machine;
  if (!gpus.isThere) return [skipped(WHAT, gpus.why)];
  const why = whyNoTraining({ ...context, isOnCpu: false });
  if (why !== null || !torch.isThere) return [skipped(WHAT, why ?? '')];
  const { smi, readings } = gpus.it;
  const others = await readComputing(smi, environment);
  tell('sharing: one experiment beside a second process');
  const load = await startLoad({ ...environment, ...sameGpu(readings, environment) }, signal);
  try {
    if (!(await isTold(load.pid, smi, context))) {
      return [
        skipped(WHAT, 'nvidia-smi does not tell this machine’s processes by their numbers (a container?)'),
      ];
    }
    const [baseline] = await runNanoGpt(context, 'sharing', 0, event => {
      // It is repeated at most twice, and one of those must run undisturbed.
      if (event.type === 'run_unfair') void load.stop();
    });
    return judge(baseline?.runs ?? [], load, others);
  } finally {
    await load.stop();
  }
}

/** The GPU to which Pawl binds a training: the first undivided one, unless the user chose. */
function sameGpu(
  readings: readonly Reading[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const [gpu] = boundGpus(
    readings.map(({ index, uuid, name }) => ({ index, uuid, name })),
    environment,
  );
  return environment.CUDA_VISIBLE_DEVICES === undefined && gpu ? { CUDA_VISIBLE_DEVICES: gpu.uuid } : {};
}

async function isTold(pid: number, smi: string, { machine, signal }: Context): Promise<boolean> {
  const deadline = performance.now() + TOLD_MS;
  while (performance.now() < deadline) {
    if ((await readComputing(smi, machine.environment)).includes(pid)) return true;
    await delay(ASK_MS, undefined, { signal });
  }
  return false;
}

function judge(runs: readonly RunMeasured[], { pid }: Load, others: readonly number[]): readonly Row[] {
  const sharedOf = (run: RunMeasured | undefined) => run?.flags.filter(({ kind }) => kind === 'shared') ?? [];
  const [first, last] = [sharedOf(runs[0]), sharedOf(runs.at(-1))];
  const isFound = first.some(({ detail, isUnfair }) => isUnfair && detail.startsWith(`process ${pid} `));
  const words = (flags: typeof first) =>
    flags.map(({ kind, detail }) => `${kind}, ${detail}`).join('; ') || 'no flag `shared`';
  const without = 'the run again, once that process is gone';
  return [
    judged(WHAT, words(first), `shared, process ${pid}`, isFound),
    others.length > 0
      ? skipped(without, `others compute here as well: ${others.join(', ')}`)
      : judged(
          without,
          runs.length > 1 ? `${words(last)}, run ${runs.length}` : 'was not run again',
          'no flag `shared`',
          runs.length > 1 && last.length === 0,
        ),
  ];
}
