import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../../src/engine/process/find-program.ts';

/** A driver that is not kept loaded needs seconds for its first answer. */
const SMI_MS = 30_000;
/** PyTorch is gigabytes, which the machine may have to read from disk. */
const TORCH_MS = 300_000;

/** The answer of `nvidia-smi` about one GPU, asked once; null for what it does not report. */
export type Reading = {
  readonly at: number;
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly memoryTotalMib: number | null;
  readonly memoryUsedMib: number | null;
  readonly powerWatts: number | null;
  readonly temperatureCelsius: number | null;
  readonly smClockMhz: number | null;
  readonly memoryClockMhz: number | null;
};

export type Torch = {
  /** The `python3` that has it. */
  readonly python: string;
  readonly version: string;
  /** Whether it can compute on a GPU here. */
  readonly hasCuda: boolean;
};

/** A part of the machine, or why it is missing. */
export type Found<T> =
  | { readonly isThere: true; readonly it: T }
  | { readonly isThere: false; readonly why: string };

export type Machine = {
  readonly environment: NodeJS.ProcessEnv;
  /** The path of `nvidia-smi`, and its GPUs, at least one. */
  readonly gpus: Found<{ readonly smi: string; readonly readings: readonly Reading[] }>;
  readonly torch: Found<Torch>;
};

/** Finds out what the checks can use here. */
export async function findMachine(environment: NodeJS.ProcessEnv): Promise<Machine> {
  return { environment, gpus: await findGpus(environment), torch: await findTorch(environment) };
}

async function findGpus(environment: NodeJS.ProcessEnv): Promise<Machine['gpus']> {
  const smi = await findProgram('nvidia-smi', environment.PATH ?? '');
  if (!smi) return { isThere: false, why: 'nvidia-smi is not on the PATH' };
  try {
    const readings = await readGpus(smi, environment);
    if (readings.length === 0) return { isThere: false, why: 'nvidia-smi tells of no GPU' };
    return { isThere: true, it: { smi, readings } };
  } catch (error) {
    return { isThere: false, why: `nvidia-smi fails: ${saidBy(error)}` };
  }
}

async function findTorch(environment: NodeJS.ProcessEnv): Promise<Found<Torch>> {
  const python = await findProgram('python3', environment.PATH ?? '');
  if (!python) return { isThere: false, why: 'python3 is not on the PATH' };
  try {
    const code = 'import torch; print(torch.__version__, torch.cuda.is_available())';
    const said = await output(python, ['-c', code], environment, TORCH_MS);
    const [version = '', answer] = said.trim().split('\n').at(-1)?.split(' ') ?? [];
    return { isThere: true, it: { python, version, hasCuda: answer === 'True' } };
  } catch (error) {
    return { isThere: false, why: `${python} cannot import PyTorch: ${saidBy(error)}` };
  }
}

/** The queried fields, in another order than Pawl's own; the name comes last because it may contain commas. */
const FIELDS = [
  ...['index', 'uuid', 'memory.total', 'memory.used', 'power.draw', 'temperature.gpu', 'clocks.sm'],
  ...['clocks.mem', 'name'],
];

/** Asks `nvidia-smi` once, independently of Pawl's sampler. Rejects if it fails. Format: `--help-query-gpu`. */
export async function readGpus(smi: string, environment: NodeJS.ProcessEnv): Promise<readonly Reading[]> {
  const query = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  const said = await output(smi, query, environment, SMI_MS);
  const at = Date.now();
  return said.split('\n').flatMap(line => {
    const [index = '', uuid = '', total, used, power, temperature, sm, memory, ...name] = line.split(', ');
    if (!/^\d+$/.test(index) || name.length === 0) return [];
    return {
      ...{ at, index: Number(index), uuid, name: name.join(', ').trim() },
      ...{ memoryTotalMib: numberOf(total), memoryUsedMib: numberOf(used), powerWatts: numberOf(power) },
      ...{ temperatureCelsius: numberOf(temperature), smClockMhz: numberOf(sm) },
      memoryClockMhz: numberOf(memory),
    };
  });
}

/** Process ids that compute on any GPU, according to one call of `nvidia-smi`. */
export async function readComputing(smi: string, environment: NodeJS.ProcessEnv): Promise<readonly number[]> {
  const query = ['--query-compute-apps=pid', '--format=csv,noheader'];
  const said = await output(smi, query, environment, SMI_MS);
  return said.split('\n').flatMap(line => (/^\d+$/.test(line.trim()) ? Number(line) : []));
}

/** The standard output of a program that ends by itself. Rejects if it fails or takes longer. */
export async function output(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<string> {
  const options = { env: environment, timeout: timeoutMs, killSignal: 'SIGKILL' as const };
  return (await promisify(execFile)(program, [...args], options)).stdout;
}

/** The last line that a failed program printed. */
export function saidBy(error: unknown): string {
  const { stderr = '', stdout = '', message = String(error) } = error as Record<string, string | undefined>;
  const said = stderr.trim() || stdout.trim() || message;
  return said.split('\n').at(-1) ?? '';
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : null;
}
