import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkContainment } from './gpu/containment.ts';
import type { Context } from './gpu/context.ts';
import { findMachine, type Machine, saidBy } from './gpu/machine.ts';
import { CHECK_NAMES, type CheckName, countOf, type Row, rowsOf, tableOf } from './gpu/row.ts';
import { checkSharing } from './gpu/sharing.ts';
import { checkStudy } from './gpu/study.ts';
import { checkTelemetry } from './gpu/telemetry.ts';

/**
 * `npm run check:gpu`: checks, on a machine with an NVIDIA GPU, what the tests can only simulate. A check that the
 * machine cannot do is reported as skipped, with the reason. Not covered: several GPUs at once, MIG, other makers.
 */

const USAGE = `Checks Pawl on a machine with an NVIDIA GPU and prints a Markdown table.

  --seconds N      budget of each training (10)
  --experiments N  of the study, after its baseline (6)
  --watch N        seconds for which telemetry is compared with nvidia-smi (20)
  --only A,B       of ${CHECK_NAMES.join(', ')}
  --on-cpu         run the study on the processor where PyTorch has no GPU

Trainings run under the python3 that is first on the PATH; it needs PyTorch.
Exit code: 0 nothing failed, 1 something failed, 2 bad usage, 3 there is no NVIDIA GPU, 130 interrupted.`;

const EXIT = { good: 0, failed: 1, usage: 2, noGpu: 3, interrupted: 130 } as const;

const CHECKS: Readonly<Record<CheckName, (context: Context) => Promise<readonly Row[]>>> = {
  telemetry: checkTelemetry,
  containment: checkContainment,
  study: checkStudy,
  sharing: checkSharing,
};

type Options = Pick<Context, 'seconds' | 'experiments' | 'watchSeconds' | 'isOnCpu'> & {
  readonly only: readonly CheckName[];
};

/** Throws an error that says which option is wrong. */
function readOptions(): Options | 'help' {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      experiments: { type: 'string', default: '6' },
      watch: { type: 'string', default: '20' },
      only: { type: 'string', default: CHECK_NAMES.join(',') },
      'on-cpu': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    seconds: whole('seconds', values.seconds),
    experiments: whole('experiments', values.experiments),
    watchSeconds: whole('watch', values.watch),
    isOnCpu: values['on-cpu'],
    only: values.only.split(',').map(text => {
      const name = CHECK_NAMES.find(known => known === text);
      if (!name) throw new Error(`There is no check "${text}"; there are ${CHECK_NAMES.join(', ')}.`);
      return name;
    }),
  };
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} must be a whole number above 0.`);
  return Number(text);
}

function describe({ gpus, torch }: Machine): string {
  const names = gpus.isThere
    ? gpus.it.readings.map(({ index, name }) => `GPU ${index}: ${name}`)
    : [gpus.why];
  const { it } = torch.isThere ? torch : { it: null };
  const python = it
    ? `PyTorch ${it.version} of ${it.python}, ${it.hasCuda ? 'with' : 'without'} CUDA`
    : 'no PyTorch';
  return `${[...names, python].join('; ')}; Node ${process.versions.node}`;
}

/** Makes the checks; one that breaks gives a failed line, and the others still run. */
async function makeChecks(only: readonly CheckName[], context: Context): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const name of CHECK_NAMES.filter(check => only.includes(check))) {
    try {
      rows.push(...(await CHECKS[name](context)));
    } catch (error) {
      rows.push(rowsOf(name).judged('the check itself', saidBy(error), 'goes through', false));
    }
    context.signal.throwIfAborted();
  }
  return rows;
}

async function check({ only, ...options }: Options, signal: AbortSignal): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-gpu-'));
  const tell = (text: string) => console.error(`check:gpu: ${text}`);
  try {
    const machine = await findMachine(process.env);
    signal.throwIfAborted();
    const rows = await makeChecks(only, { ...options, machine, folder, signal, tell });
    console.log(`\n### GPU check: ${describe(machine)}\n\n${tableOf(rows)}\n\n${countOf(rows)}`);
    const isGood = rows.every(({ result }) => result !== 'failed');
    if (machine.gpus.isThere) return isGood ? EXIT.good : EXIT.failed;
    console.error(`check:gpu: there is no NVIDIA GPU on this machine: ${machine.gpus.why}.`);
    return isGood ? EXIT.noGpu : EXIT.failed;
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`check:gpu: ${saidBy(error)}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (options === 'help') {
    console.log(USAGE);
    return EXIT.good;
  }
  const stop = new AbortController();
  // Ctrl-C may arrive twice: from the terminal, and from the process that started this one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  return check(options, stop.signal);
}

process.exitCode = await main();
