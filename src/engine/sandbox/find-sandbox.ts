import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { promisify } from 'node:util';
import { type Contract, SANDBOX_MODES, type SandboxMode } from '../../shared/contract/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { findNvidiaSmi } from '../machine/find-nvidia-smi.ts';
import { findProgram } from '../process/find-program.ts';
import { findResource } from '../resources.ts';
import { homeView } from './home-view.ts';
import { type Confinement, computeDevices, EMPTY_JAIL, type Jail, jailArguments } from './jail.ts';
import { passable } from './passable.ts';
import { dropUser, findIdentity, type Identity } from './unprivileged.ts';

/** A probe does almost nothing, and a hanging driver must not make the study hang. */
const PROBE_MS = 20_000;

/** Loads the driver and counts its devices; a working driver prints 0 and the count. Source: the CUDA driver API. */
export const CUDA_PROBE = `import ctypes
cuda = ctypes.CDLL("libcuda.so.1")
count = ctypes.c_int()
print(cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count)), count.value)`;

/** System calls forbidden to contained programs; made by `scripts/make-seccomp.mjs`. */
const FILTER = `seccomp/${process.arch}.bpf`;

/** bubblewrap reads the filter only once from this descriptor, so the file is opened for each run. */
const FILTERED = 'exec "$@" 9<"$0"';

export type Bubblewrap = Confinement & {
  readonly kind: 'bubblewrap';
  /** Whether this bubblewrap can limit the size of an empty folder. */
  readonly sizesFolders: boolean;
  readonly program: string;
  readonly version: string;
  readonly devices: readonly string[];
  /** The user of contained programs; null for Pawl's own. */
  readonly identity: Identity | null;
  /** The file of the system-call filter; null if there is none for this kind of machine. */
  readonly filter: string | null;
};

export type Sandbox =
  | Bubblewrap
  /** `why` says what to do about it. */
  | { readonly kind: 'none'; readonly why: string };

/**
 * The contract's setting, unless this machine's user overrides it: `PAWL_SANDBOX` is `required`, `preferred` or
 * `off`. Throws `usage` for any other word, because a misspelt one must not leave anyone unprotected.
 */
export function sandboxMode(contract: Contract, environment: NodeJS.ProcessEnv): SandboxMode {
  const word = environment.PAWL_SANDBOX;
  if (!word) return contract.sandbox.mode;
  const own = SANDBOX_MODES.find(mode => mode === word.toLowerCase());
  if (own) return own;
  throw new PawlError('usage', `PAWL_SANDBOX is "${word}"; it takes ${SANDBOX_MODES.join(', ')}.`);
}

/** Whether this machine can contain programs; tries one that does nothing, and the GPU's driver. */
export async function findSandbox(environment: NodeJS.ProcessEnv): Promise<Sandbox> {
  const none = (why: string): Sandbox => ({ kind: 'none', why });
  const path = environment.PATH ?? '';
  const program = await findProgram('bwrap', path);
  if (!program) {
    return none('bubblewrap is not installed (Debian and Ubuntu: apt-get install bubblewrap).');
  }
  const nvidiaSmi = await findNvidiaSmi(environment);
  const probes: readonly (readonly string[])[] = [
    ...((await findProgram('python3', path)) ? [['python3', '-c', CUDA_PROBE]] : []),
    ...(nvidiaSmi ? [[nvidiaSmi, '-L']] : []),
  ];
  // Run it outside first, because some drivers create their devices at first use.
  const outside: Ended[] = [];
  for (const [name = '', ...args] of probes) outside.push(await run(name, args, environment));
  const devices = computeDevices(await readdir('/dev').catch(() => []));
  const identity = await findIdentity(devices, path);
  if (identity === null && process.getuid?.() === 0) {
    return none(
      'Pawl runs as root, and setpriv, which would run the training as another user, was not found (Debian and Ubuntu: apt-get install util-linux).',
    );
  }
  let sandbox: Bubblewrap = {
    ...{ kind: 'bubblewrap', program, devices, identity, dropsUser: identity !== null },
    ...(await featuresOf(program, environment)),
    filter: findResource(FILTER),
  };
  // A probe's program may be in a home folder, for instance an environment's Python.
  const view = await homeView({
    ...{ home: environment.HOME ?? homedir(), environment, command: 'true' },
    ...{ programs: [nvidiaSmi ?? ''], reads: [], checkout: [], dataFolder: null, standIns: [] },
  });
  const jail = { ...EMPTY_JAIL, ...view, devices };
  const fault = await trySandbox(containedBy(sandbox, jail), environment);
  if (fault !== null) {
    // For systems on which the kernel's settings cannot be written at all, as in many containers; the filter forbids
    // the same.
    const plain = { ...sandbox, forbidsUserNamespaces: false };
    const isWorking =
      sandbox.forbidsUserNamespaces &&
      sandbox.filter !== null &&
      (await trySandbox(containedBy(plain, jail), environment)) === null;
    if (!isWorking) return none(fault);
    sandbox = plain;
  }
  const contained = containedBy(sandbox, jail);
  for (const [place, probe] of probes.entries()) {
    const bare = outside[place];
    if (bare?.code !== 0) continue;
    const [name = '', ...args] = [...contained, ...probe];
    const inside = await run(name, args, environment);
    if (inside.code !== 0 || inside.out !== bare.out) {
      return none(`The GPU answers outside bubblewrap but not inside it (${inside.said || inside.out}).`);
    }
  }
  return sandbox;
}

/** Program and arguments that contain a command. */
export function containedBy(sandbox: Bubblewrap, wanted: Jail): readonly [string, ...string[]] {
  const { program, filter, identity } = sandbox;
  const jail = identity ? passable(wanted) : wanted;
  const args = [...jailArguments(jail, sandbox), ...(filter ? ['--seccomp', '9'] : []), '--'];
  // bubblewrap sets PWD to its own starting folder, and some programs rely on PWD.
  const there = ['env', '-C', jail.cwd, `PWD=${jail.cwd}`];
  const rest = [...args, ...(identity ? [...dropUser(identity), ...there] : [])];
  return filter ? ['/bin/sh', '-c', FILTERED, filter, program, ...rest] : [program, ...rest];
}

/** Runs a program that does nothing in a sandbox. Null if that works; otherwise why not, and what to do. */
export async function trySandbox(
  contained: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string | null> {
  const [name = '', ...args] = contained;
  const command = ['env', '--default-signal=TERM', '/bin/sh', '-c', 'exit 0'];
  const ended = await run(name, [...args, ...command], environment);
  const program = contained.find(part => part.endsWith('/bwrap')) ?? '/usr/bin/bwrap';
  return ended.code === 0 ? null : explain(ended.said, program);
}

/** The exit code of a command in a sandbox; null if a signal ended it. */
export async function runContained(
  contained: readonly string[],
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number | null> {
  const [name = '', ...args] = [...contained, ...command];
  return (await run(name, args, environment)).code;
}

/** The features of this bubblewrap. If it is installed setuid root, it needs no user namespace and cannot forbid them. */
async function featuresOf(
  program: string,
  environment: NodeJS.ProcessEnv,
): Promise<Pick<Bubblewrap, 'version' | 'forbidsUserNamespaces' | 'sizesFolders'>> {
  const [version, help] = await Promise.all([
    run(program, ['--version'], environment),
    run(program, ['--help'], environment),
  ]);
  const isSetUid = await stat(program).then(({ mode, uid }) => uid === 0 && (mode & 0o4000) !== 0);
  return {
    version: version.out.replace(/^bubblewrap /, ''),
    sizesFolders: /--size\b/.test(`${help.out}${help.err}`),
    forbidsUserNamespaces: !isSetUid && /--disable-userns\b/.test(`${help.out}${help.err}`),
  };
}

type Ended = {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The last line of `err`. */
  readonly said: string;
};

async function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Ended> {
  const ended = (code: number | null, out: string, err: string): Ended => ({
    ...{ code, out: out.trim(), err },
    said: err.trim().split('\n').at(-1) ?? '',
  });
  try {
    const options = { env: environment, timeout: PROBE_MS, killSignal: 'SIGKILL' as const };
    const { stdout, stderr } = await promisify(execFile)(program, [...args], options);
    return ended(0, stdout, stderr);
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    return ended(typeof code === 'number' ? code : null, stdout, stderr);
  }
}

/**
 * The kernel's switch that Ubuntu has enabled since 23.10: programs without an AppArmor profile cannot create user
 * namespaces.
 */
const APPARMOR_SWITCH = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
const APPARMOR_PROFILE = '/etc/apparmor.d/bwrap';

/** The profile that lets bubblewrap work under {@link APPARMOR_SWITCH}. Source: apparmor.d(5), "userns". */
function appArmorProfile(program: string): string {
  return `abi <abi/4.0>,
include <tunables/global>

profile bwrap ${program} flags=(unconfined) {
  userns,
}
`;
}

/** Turns bubblewrap's last line into advice for the user. */
async function explain(said: string, program: string): Promise<string> {
  const isForbidden = /permission denied|operation not permitted|no permissions/i.test(said);
  const advice = isForbidden ? ` ${await adviseOnNamespaces(program)}` : '';
  return `bubblewrap does not work here: ${said || 'it said nothing'}.${advice}`;
}

/** What the user can do if the system forbids bubblewrap to create namespaces. */
export async function adviseOnNamespaces(
  program: string,
  files = { restricts: APPARMOR_SWITCH, profile: APPARMOR_PROFILE },
): Promise<string> {
  const restricts = await readFile(files.restricts, 'utf8').catch(() => '0');
  if (restricts.trim() !== '1') {
    return 'This system does not let it create namespaces: set kernel.unprivileged_userns_clone to 1 if that setting exists, or give the container the right (docker run --privileged).';
  }
  const load = `sudo apparmor_parser -r ${files.profile}`;
  return existsSync(files.profile)
    ? `AppArmor does not let it create namespaces although there is a profile: check that ${files.profile} contains "userns," for ${program}, then run: ${load}`
    : `AppArmor does not let it create namespaces. Put this into ${files.profile}, then run: ${load}\n${appArmorProfile(program)}`;
}
