import { execFile } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataPaths } from '../../src/engine/paths.ts';
import { openRepository } from '../../src/engine/repo/repository.ts';
import { contain, environmentOf } from '../../src/engine/sandbox/contain.ts';
import { type Bubblewrap, findSandbox } from '../../src/engine/sandbox/find-sandbox.ts';
import { contractFileSchema, contractFromFile } from '../../src/shared/contract.ts';
import { createRepository, temporaryFolder, writeFiles } from './scaffold.ts';

const run = promisify(execFile);

/** What this machine contains with, or why it cannot. */
export const found = await findSandbox(process.env);

export type ContainedOptions = {
  /** Default: an empty one. */
  readonly home?: string;
  /** Before the usual PATH. */
  readonly path?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly train?: string;
  readonly sandbox?: { readonly network?: boolean; readonly reads?: readonly string[] };
  /** In the worktree. */
  readonly files?: Readonly<Record<string, string>>;
  readonly namedData?: readonly string[];
  /** The user's checkout; default: a fresh repository. */
  readonly repository?: string;
  readonly use?: Bubblewrap;
};

/** Runs a shell script in the jail of a study's training, without a study. Rejects where it ends with another code than 0. */
export async function runContained(
  script: string,
  options: ContainedOptions = {},
): Promise<{ readonly stdout: string; readonly environment: Readonly<Record<string, string>> }> {
  const sandbox = options.use ?? found;
  if (sandbox.kind === 'none') throw new Error(sandbox.why);
  const base = await realpath(await temporaryFolder());
  const home = options.home ?? join(base, 'home');
  const worktree = join(base, 'data', 'worktrees', 'w');
  for (const folder of [home, worktree, join(base, 'data', 'study')])
    await mkdir(folder, { recursive: true });
  await writeFiles(worktree, { ...options.files });
  const contract = contractFromFile(
    contractFileSchema.parse({
      contract: { editable: ['train.sh'], train: options.train ?? 'sh train.sh' },
      metric: { name: 'val_bpb' },
      ...(options.sandbox ? { sandbox: options.sandbox } : {}),
    }),
  );
  const repository = await openRepository(options.repository ?? (await createRepository({ 'train.sh': '' })));
  const userEnvironment = {
    ...{ HOME: home, PATH: [...(options.path ?? []), process.env.PATH].join(':') },
    ...options.environment,
  };
  const place = {
    ...{ contract, repository, userEnvironment, worktree, locked: [], preserved: [], adminDir: null },
    ...{ paths: dataPaths({ PAWL_HOME: join(base, 'data') }), folder: join(base, 'data', 'study') },
    ...{ hasBaseline: true, namedData: options.namedData ?? [] },
  };
  const { argv, environment } = await contain(place, sandbox, environmentOf(place, 'test/0.0'));
  const [program, ...args] = argv;
  const { stdout } = await run(program, [...args, '/bin/sh', '-c', script], { env: { ...environment } });
  return { stdout, environment };
}

/** A line of shell that says whether a command comes through. */
export function can(name: string, command: string): string {
  return `if (${command}) >/dev/null 2>&1; then echo "${name} yes"; else echo "${name} no"; fi`;
}

/** What {@link can} said, by name. */
export function answers(stdout: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...stdout.matchAll(/^(\S+) (yes|no)$/gm)].map(([, name, word]) => [name, word]));
}
