import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Contract, SANDBOX_MODES, type SandboxMode } from '../../shared/contract.ts';
import { findProgram } from '../contract/find-command.ts';
import { computeDevices, type Jail, jailArguments } from './jail.ts';

/** A probe does next to nothing; a driver that hangs must not hang the study. */
const PROBE_MS = 20_000;

/** Loads the driver and counts its devices; a driver that works says 0 and how many. Source: the CUDA driver API. */
export const CUDA_PROBE = `import ctypes
cuda = ctypes.CDLL("libcuda.so.1")
count = ctypes.c_int()
print(cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count)), count.value)`;

export type Sandbox =
  | { readonly kind: 'bubblewrap'; readonly program: string; readonly devices: readonly string[] }
  /** `why` is what to do about it. */
  | { readonly kind: 'none'; readonly why: string };

/** What the contract asks for, unless this machine's user says otherwise: `PAWL_SANDBOX` is `required`, `preferred` or `off`. */
export function sandboxMode(contract: Contract, environment: NodeJS.ProcessEnv): SandboxMode {
  const own = SANDBOX_MODES.find(mode => mode === environment.PAWL_SANDBOX);
  return own ?? contract.sandbox.mode;
}

/** Whether trainings can be contained on this machine, tried with a program that does nothing and with the GPU's driver. */
export async function findSandbox(environment: NodeJS.ProcessEnv): Promise<Sandbox> {
  const none = (why: string): Sandbox => ({ kind: 'none', why });
  const path = environment.PATH ?? '';
  const program = await findProgram('bwrap', path);
  if (!program) {
    return none('bubblewrap is not installed (Debian and Ubuntu: apt-get install bubblewrap).');
  }
  const probes: readonly (readonly string[])[] = [
    ...((await findProgram('python3', path)) ? [['python3', '-c', CUDA_PROBE]] : []),
    ...((await findProgram('nvidia-smi', path)) ? [['nvidia-smi', '-L']] : []),
  ];
  // First outside: some drivers make their devices when they are first used.
  const outside: Ended[] = [];
  for (const [name = '', ...args] of probes) outside.push(await run(name, args, environment));
  const devices = computeDevices(await readdir('/dev').catch(() => []));
  const jail: Jail = {
    ...{ hidden: [], mounts: [], readable: [], writable: [], held: [], sealed: [], opened: [] },
    ...{ network: false, cwd: '/', devices },
  };
  const fault = await trySandbox(program, jailArguments(jail), environment);
  if (fault !== null) return none(fault);
  for (const [place, [name = '', ...args]] of probes.entries()) {
    const bare = outside[place];
    if (bare?.code !== 0) continue;
    const contained = await run(program, [...jailArguments(jail), name, ...args], environment);
    if (contained.code !== 0 || contained.out !== bare.out) {
      return none(
        `The GPU answers outside of bubblewrap and not inside it (${contained.said || contained.out}).`,
      );
    }
  }
  return { kind: 'bubblewrap', program, devices };
}

/** Does nothing behind a sandbox. Null where that works, else why not and what to do about it. */
export async function trySandbox(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string | null> {
  const command = ['env', '--default-signal=TERM', '/bin/sh', '-c', 'exit 0'];
  const ended = await run(program, [...args, ...command], environment);
  return ended.code === 0 ? null : explain(ended.said);
}

type Ended = { readonly code: number | null; readonly out: string; readonly said: string };

async function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Ended> {
  try {
    const options = { env: environment, timeout: PROBE_MS, killSignal: 'SIGKILL' as const };
    const { stdout } = await promisify(execFile)(program, [...args], options);
    return { code: 0, out: stdout.trim(), said: '' };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    return {
      code: typeof code === 'number' ? code : null,
      out: stdout.trim(),
      said: stderr.trim().split('\n').at(-1) ?? '',
    };
  }
}

/** Since Ubuntu 23.10 AppArmor forbids user namespaces to programs without a profile. */
function explain(said: string): string {
  const isForbidden = /permission denied|operation not permitted|no permissions/i.test(said);
  const advice = isForbidden
    ? ' This system forbids it to make namespaces: on Ubuntu give /usr/bin/bwrap an AppArmor profile with "userns,", elsewhere set kernel.unprivileged_userns_clone to 1.'
    : '';
  return `bubblewrap does not work here: ${said || 'it said nothing'}.${advice}`;
}
