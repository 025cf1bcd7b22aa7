import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { EngineEvent } from '../../src/shared/events.ts';
import { checkInvariants } from './invariants.ts';
import { eventsOf, type PawlResult, sitting } from './pawl.ts';
import { COMPILE_CACHE, PAWL_MAIN } from './pawl-command.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  git,
  snapshotUserState,
  temporaryFolder,
} from './scaffold.ts';

/** A home folder with this `.gitconfig`, and the environment that makes it the user's home. */
export async function userWithGitConfig(
  config: string,
): Promise<{ readonly folder: string; readonly env: Readonly<Record<string, string | undefined>> }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, '.gitconfig'), config);
  return { folder, env: { HOME: folder, XDG_CONFIG_HOME: undefined, GIT_CONFIG_GLOBAL: undefined } };
}

/** Programs that fail and leave a file in `markers` when they run. `ran()` lists those that ran. */
export async function markerPrograms(): Promise<{
  readonly folder: string;
  create(name: string): Promise<string>;
  ran(): Promise<readonly string[]>;
}> {
  const folder = await temporaryFolder();
  const markers = join(folder, 'markers');
  await mkdir(markers);
  return {
    folder,
    async create(name) {
      const path = join(folder, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, `#!/bin/sh\n: > '${markers}/${name.replaceAll('/', '-')}'\nexit 1\n`);
      await chmod(path, 0o755);
      return path;
    },
    ran: () => readdir(markers),
  };
}

/** The three constants of FAST_TRAINER in their own file, and the trainer that reads it. */
export const CONSTANTS = 'LR=2\nDEPTH=4\nWIDTH=16\n';
export const CONSTANTS_TRAINER = `eval "$(tr -d '\\r' < constants.txt | grep '^[A-Z]*=[0-9]*$')"
${FAST_TRAINER.split('\n').slice(3).join('\n')}`;

/** A repository whose editable file is `constants.txt`; `files` adds or replaces files. */
export function constantsRepository(
  files: Readonly<Record<string, string | Buffer>> = {},
  options: { readonly more?: string; readonly folder?: string } = {},
): Promise<string> {
  return createRepository(
    {
      'constants.txt': CONSTANTS,
      'train.sh': CONSTANTS_TRAINER,
      'pawl.toml': contractFile(options.more === undefined ? {} : { more: options.more }).replace(
        'editable = ["train.sh"]',
        'editable = ["constants.txt"]',
      ),
      ...files,
    },
    options.folder,
  );
}

/** Arguments for a command proposer that runs `script` and then answers with the hypothesis. */
export function proposing(script: string, hypothesis = 'Raise LR'): readonly string[] {
  const answer = JSON.stringify({ hypothesis }).replaceAll("'", "'\\''");
  return ['--command', `${script}\nprintf '%s\\n' '${answer}'`];
}

/** An edit that always wins on FAST_TRAINER. */
export const raiseRate = (file = 'train.sh') => `sed -i 's/^LR=2/LR=8/' ${file}`;
/** An edit that always loses on FAST_TRAINER. */
export const lowerRate = (file = 'train.sh') => `sed -i 's/^LR=2/LR=1/' ${file}`;

export type StudyResult = PawlResult & {
  readonly events: readonly EngineEvent[];
  readonly home: string;
};

/**
 * Runs a study `night` of one experiment (or `experiments`) after the baseline, and expects it to end well, the
 * invariants to hold and the user's checkout to be unchanged.
 */
export async function runStudy(
  repository: string,
  options: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly editable?: readonly string[];
    readonly home?: string;
    readonly experiments?: number;
  } = {},
): Promise<StudyResult> {
  const { args = [], env = {}, editable = ['train.sh'], experiments = 1 } = options;
  const home = options.home ?? (await temporaryFolder());
  const userState = await snapshotUserState(repository);
  const result = await sitting(['run', repository, '--tag', 'night', '-n', String(experiments), ...args], {
    home,
    env,
  });
  expect(`${result.code} ${result.stderr}`).toBe('0 ');
  const verdicts = eventsOf(result.events, 'verdict');
  expect(verdicts.map(event => event.n)).toEqual([...Array(experiments + 1).keys()]);
  expect(verdicts.filter(event => event.verdict === 'crash')).toEqual([]);
  await checkInvariants({ repository, home, tag: 'night', userState, editable });
  return { ...result, home };
}

/** Lines added and removed by attempt `n`, by path. */
export async function changedLines(repository: string, n: number): Promise<Readonly<Record<string, string>>> {
  const attempt = `refs/pawl/night/${n}`;
  const lines = (await git(repository, 'diff', '--numstat', '-z', `${attempt}^`, attempt)).split('\0');
  return Object.fromEntries(
    lines.filter(Boolean).map(line => {
      const [added, removed, path = ''] = line.split('\t');
      return [path, `+${added} -${removed}`];
    }),
  );
}

/** The bytes of a file in a commit, as latin1 text. */
export async function readCommitted(repository: string, commit: string, path: string): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['cat-file', 'blob', `${commit}:${path}`], {
    cwd: repository,
    encoding: 'latin1',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** The study's only worktree, and git's record of it. */
export async function findWorktree(
  repository: string,
  home: string,
): Promise<{ readonly path: string; readonly adminDir: string }> {
  const entries = await readdir(join(home, 'worktrees'), { withFileTypes: true });
  const [name = '', ...others] = entries.filter(entry => entry.isDirectory()).map(entry => entry.name);
  expect(others).toEqual([]);
  const gitDir = await git(repository, 'rev-parse', '--path-format=absolute', '--git-common-dir');
  return { path: join(home, 'worktrees', name), adminDir: join(gitDir, 'worktrees', name) };
}

/** The unprivileged user that some systems call nobody. */
export const NOBODY = 65534;

/** Runs the terminal host as {@link NOBODY}; only root can. */
export async function pawlAsNobody(
  args: readonly string[],
  home: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  try {
    const { stdout, stderr } = await promisify(execFile)(
      'setpriv',
      [...ids, process.execPath, PAWL_MAIN, ...args],
      {
        cwd: home,
        env: {
          ...{ PATH: process.env.PATH, HOME: home, PAWL_HOME: home },
          ...{ NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILE_CACHE },
        },
      },
    );
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

/** Whether {@link pawlAsNobody} can work here: needs root, and a program folder that others may read. */
export async function canBeNobody(): Promise<boolean> {
  return process.getuid?.() === 0 && (await pawlAsNobody(['--version'], '/')).code === 0;
}

/** Reads the results table in the data folder. */
export async function readResultsTable(home: string): Promise<string> {
  const [study = ''] = await readdir(join(home, 'studies'));
  return readFile(join(home, 'studies', study, 'results.tsv'), 'utf8');
}
