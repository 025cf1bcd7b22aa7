import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);
const TEMPLATE = fileURLToPath(new URL('git-template', import.meta.url));

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pawl-test-')));
  // Processes that a test has just ended may still write there.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** Plain git as a user would run it, unaffected by the machine's own configuration. Returns stdout, trimmed. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd, maxBuffer: 64 * 1024 * 1024, env: gitEnvironment() });
  return stdout.trimEnd();
}

/**
 * Several plain git calls, as shell lines, one after the other until one fails. Returns their output. One shell
 * starts them all: a process as large as a test's takes several times as long as a shell to start another one.
 */
export async function gitCalls(cwd: string, ...calls: readonly string[]): Promise<string> {
  const script = calls.map(call => `git ${call}`).join(' && ');
  const options = { cwd, maxBuffer: 64 * 1024 * 1024, env: gitEnvironment() };
  const { stdout } = await run('sh', ['-c', script], options);
  return stdout;
}

function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Tester',
    GIT_AUTHOR_EMAIL: 'tester@localhost',
    GIT_COMMITTER_NAME: 'Tester',
    GIT_COMMITTER_EMAIL: 'tester@localhost',
  };
}

export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** A repository with the files committed on `main`. */
export async function createRepository(
  files: Readonly<Record<string, string | Buffer>>,
  folder?: string,
): Promise<string> {
  const path = folder ?? join(await temporaryFolder(), 'repo');
  await mkdir(path, { recursive: true });
  await writeFiles(path, files);
  await gitCalls(
    path,
    // Without git's sample hooks: copying them takes as long as everything else.
    `init --quiet --initial-branch=main --template='${TEMPLATE}'`,
    'add --all --force',
    // No background work remains.
    '-c maintenance.auto=false commit --quiet --message=start',
  );
  return path;
}

/**
 * A trainer that ends at once: a shell script with three constants, whose val_bpb is best (1.000000) at LR=8,
 * DEPTH=8, WIDTH=8. Prints what upstream prints.
 */
export const FAST_TRAINER = `LR=2
DEPTH=4
WIDTH=16
distance() { d=$(($1 - 8)); echo "\${d#-}"; }
value=$((1000000 + 10000 * $(distance $LR) + 1000 * $(distance $DEPTH) + 100 * $(distance $WIDTH)))
printf '\\rstep 00001 (50.0%%) | loss: 3.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8%% | epoch: 1 | remaining: 168s    '
printf '\\rstep 00002 (100.0%%) | loss: 2.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8%% | epoch: 1 | remaining: 0s    '
printf '\\n---\\nval_bpb:          %d.%06d\\ntraining_seconds: 300.1\\npeak_vram_mb:     45060.2\\n' $((value / 1000000)) $((value % 1000000))
`;

/** pawl.toml for {@link FAST_TRAINER}, or for another command. */
export function contractFile(options: { train?: string; limitSeconds?: number; more?: string } = {}): string {
  const { train = 'sh train.sh', limitSeconds = 20, more = '' } = options;
  return `[contract]
editable = ["train.sh"]
train = ${JSON.stringify(train)}
${more}
[metric]
name = "val_bpb"
memory = "peak_vram_mb"
[budget]
seconds = 5
limit_seconds = ${limitSeconds}
`;
}

export function fastRepository(folder?: string): Promise<string> {
  return createRepository(
    {
      'train.sh': FAST_TRAINER,
      'pawl.toml': contractFile(),
      'prepare.sh': 'echo fixed\n',
      'README.md': 'A test.\n',
    },
    folder,
  );
}

/**
 * Everything of the user's that Pawl must not touch, as one text to compare: the checkout's files with mode and
 * content, and from `.git` the index, HEAD, configuration, hooks, stash and every ref that is not Pawl's.
 */
export async function snapshotUserState(repository: string): Promise<string> {
  const lines: string[] = [];
  const walk = async (folder: string, prefix: string): Promise<void> => {
    for (const entry of (await readdir(folder)).sort()) {
      const path = join(folder, entry);
      const stat = await lstat(path);
      const name = prefix + entry;
      if (name === '.git' && stat.isDirectory()) continue;
      if (stat.isDirectory()) {
        lines.push(`dir ${stat.mode} ${JSON.stringify(name)}`);
        await walk(path, `${name}/`);
      } else if (stat.isSymbolicLink()) lines.push(`link ${JSON.stringify(name)} ${await readlink(path)}`);
      else
        lines.push(`file ${stat.mode} ${stat.mtimeMs} ${JSON.stringify(name)} ${hash(await readFile(path))}`);
    }
  };
  await walk(repository, '');
  const [gitDir = '', ...refs] = (
    await gitCalls(
      repository,
      'rev-parse --absolute-git-dir',
      "for-each-ref --format='%(refname) %(objectname)'",
    )
  )
    .trimEnd()
    .split('\n');
  for (const name of ['HEAD', 'index', 'config', 'ORIG_HEAD', 'MERGE_HEAD', 'info/exclude', 'index.lock']) {
    lines.push(`${name} ${await readFile(join(gitDir, name)).then(hash, () => 'absent')}`);
  }
  for (const hook of await readdir(join(gitDir, 'hooks')).catch(() => [])) {
    lines.push(`hook ${hook} ${hash(await readFile(join(gitDir, 'hooks', hook)))}`);
  }
  lines.push(...refs.filter(ref => !/^refs\/(pawl|heads\/autoresearch)\//.test(ref)));
  return lines.join('\n');
}

function hash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
