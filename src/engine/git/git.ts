import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { exec, spawn } from 'dugite';
import { PawlError } from '../../shared/errors.ts';
import { gitEnvironment, howToGetGit } from './git-binary.ts';
import { gitFailure } from './git-errors.ts';

/**
 * The one function that spawns git. It switches off everything in the user's configuration that could run a program,
 * ask a question or change bytes, except what decides how files are read (LFS and other filters, attributes).
 */

/** `-c` settings of every call. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.autocrlf=false',
  'core.safecrlf=false',
  'core.quotePath=false',
  'core.abbrev=no',
  'core.logAllRefUpdates=false',
  'core.sparseCheckout=false',
  // A training could change, unseen, whatever git does not check.
  'core.trustctime=true',
  'core.checkStat=default',
  'core.ignoreStat=false',
  'core.untrackedCache=false',
  'core.splitIndex=false',
  'worktree.useRelativePaths=false',
  // An attempt in the ledger must survive a power cut, as the ledger does.
  'core.fsync=committed',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'gpg.format=openpgp',
  'commit.template=',
  'commit.cleanup=verbatim',
  'commit.verbose=false',
  'commit.status=false',
  'status.showUntrackedFiles=all',
  'submodule.recurse=false',
  'i18n.commitEncoding=UTF-8',
  'i18n.logOutputEncoding=UTF-8',
  'diff.external=',
  'diff.orderFile=/dev/null',
  'diff.noprefix=false',
  'diff.mnemonicPrefix=false',
  'diff.submodule=short',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
].flatMap(setting => ['-c', setting]);

/** Variables that would point git at another repository or run a program. */
const GIT_LOCATION_VARIABLES: readonly string[] = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  'GIT_CONFIG',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
  'GIT_EXTERNAL_DIFF',
  'GIT_DIFF_OPTS',
  'GIT_SSH_COMMAND',
  'GIT_TRACE',
  'GIT_TRACE2',
  'GIT_TRACE2_EVENT',
  'GIT_AUTHOR_DATE',
  'GIT_COMMITTER_DATE',
  'GIT_CEILING_DIRECTORIES',
  'GIT_DEFAULT_HASH',
  'GIT_ATTR_SOURCE',
];

const FIXED = {
  ...Object.fromEntries(GIT_LOCATION_VARIABLES.map(name => [name, undefined])),
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_EDITOR: 'false',
  GIT_SEQUENCE_EDITOR: 'false',
  GIT_PAGER: 'cat',
  GIT_ASKPASS: 'false',
  SSH_ASKPASS: 'false',
  LC_ALL: 'C',
  LANGUAGE: 'C',
} as const;

export type GitOptions = {
  /** Exit codes that are answers; any other rejects. Default: 0. */
  readonly accept?: readonly number[];
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** If git prints more, it is ended and the call rejects with `git_failed`. */
  readonly maxBytes?: number;
};

export type GitResult = { readonly exitCode: number; readonly stdout: Buffer; readonly stderr: string };

/**
 * Runs git in `cwd`. Arguments from outside Pawl belong after `--` or on stdin. Rejects with `git_failed`,
 * `disk_full`, `repository_unwritable` or `git_missing`.
 */
export async function git(
  cwd: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitResult> {
  const { accept = [0], stdin, env, signal, maxBytes } = options;
  await turnToStart();
  const result = await exec([...SETTINGS, ...args], cwd, {
    encoding: 'buffer',
    env: { ...(await gitEnvironment()), ...FIXED, ...env },
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal ? { signal } : {}),
    ...(maxBytes === undefined ? {} : { maxBuffer: maxBytes }),
  }).catch(cause => {
    if (signal?.aborted) throw signal.reason;
    if (!existsSync(cwd)) throw new PawlError('git_failed', `There is no folder ${cwd}.`, { cause });
    const missing = String(cause).includes('ENOENT');
    throw new PawlError(
      missing ? 'git_missing' : 'git_failed',
      missing
        ? `git could not be started. ${howToGetGit}`
        : `Cannot run git in ${cwd}: ${String(cause?.message ?? cause)}`,
      { cause },
    );
  });
  const { exitCode, stdout } = result;
  const stderr = result.stderr.toString('utf8');
  if (!accept.includes(exitCode)) throw gitFailure(cwd, args, exitCode, stderr);
  return { exitCode, stdout, stderr };
}

let lastStart: Promise<void> = Promise.resolve();

/**
 * While a process starts, the system copies the page tables of the engine's memory, and nothing else happens. So no two start in
 * one turn of the event loop.
 */
function turnToStart(): Promise<void> {
  lastStart = lastStart.then(() => setImmediate());
  return lastStart;
}

/** Starts a git that stays, to be talked to over its streams. */
export async function startGit(cwd: string, args: readonly string[]): Promise<ReturnType<typeof spawn>> {
  const environment = { ...(await gitEnvironment()), ...FIXED };
  await turnToStart();
  const child = spawn([...SETTINGS, ...args], cwd, { env: environment });
  // Where it cannot be started that is told by its missing pid; unheard, the error would end the engine.
  child.on('error', () => {});
  return child;
}

/** The environment for programs that may call git themselves: git must use the folder they run in. */
export function withoutGitVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !GIT_LOCATION_VARIABLES.includes(name)),
  );
}

/** stdout of a call as text without the trailing newline. */
export async function gitText(cwd: string, args: readonly string[], options?: GitOptions): Promise<string> {
  const { stdout } = await git(cwd, args, options);
  return stdout.toString('utf8').replace(/\n$/, '');
}

/** stdout of a `-z` call as its fields; the field after the last NUL is empty and dropped. */
export async function gitFields(
  cwd: string,
  args: readonly string[],
  options?: GitOptions,
): Promise<readonly string[]> {
  const { stdout } = await git(cwd, args, options);
  const fields = stdout.toString('utf8').split('\0');
  if (fields.at(-1) === '') fields.pop();
  return fields;
}
