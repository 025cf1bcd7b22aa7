import { execFile } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openRepository } from '../../src/engine/git/repository.ts';
import { dataPaths } from '../../src/engine/paths.ts';
import { containAndTry, environmentOf } from '../../src/engine/sandbox/contain.ts';
import { findSandbox } from '../../src/engine/sandbox/find-sandbox.ts';
import type { ModelAccess } from '../../src/engine/sandbox/model-access.ts';
import type { Swap } from '../../src/shared/contract/contract.ts';
import { contractFromFile } from '../../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../../src/shared/contract/contract-schema.ts';

const run = promisify(execFile);

export type ContainedOptions = {
  /** Default: an empty one. */
  readonly home?: string;
  /** Folders placed before the usual PATH. */
  readonly path?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly train?: string;
  /** Default: the program alone. */
  readonly editable?: readonly string[];
  readonly sandbox?: { readonly network?: boolean; readonly reads?: readonly string[] };
  readonly namedData?: readonly string[];
  readonly model?: ModelAccess;
  readonly swaps?: readonly Swap[];
};

/**
 * Runs a shell script in the jail of a study's training, without a study, and returns its output. Rejects if the exit
 * code is not 0. Needs no test around it, so that another user can run it.
 * @param base an empty folder for the data folder and the home
 * @param repository the user's checkout
 */
export async function runInJail(
  script: string,
  options: ContainedOptions,
  base: string,
  repository: string,
): Promise<string> {
  const sandbox = await findSandbox(process.env);
  if (sandbox.kind === 'none') throw new Error(sandbox.why);
  const place = await realpath(base);
  const home = options.home ?? join(place, 'home');
  const worktree = join(place, 'data', 'worktrees', 'w');
  for (const folder of [home, worktree, join(place, 'data', 'study')])
    await mkdir(folder, { recursive: true });
  const contract = contractFromFile(
    contractFileSchema.parse({
      contract: { editable: options.editable ?? ['train.sh'], train: options.train ?? 'sh train.sh' },
      metric: { name: 'val_bpb' },
      ...(options.sandbox ? { sandbox: options.sandbox } : {}),
    }),
  );
  const userEnvironment = {
    ...{ HOME: home, PATH: [...(options.path ?? []), process.env.PATH].join(':') },
    ...options.environment,
  };
  const where = {
    ...{
      contract,
      userEnvironment,
      worktree,
      seals: { folders: [], files: [] },
      preserved: [],
      adminDir: null,
    },
    ...{ paths: dataPaths({ PAWL_HOME: join(place, 'data') }), folder: join(place, 'data', 'study') },
    laneFolder: join(place, 'data', 'study'),
    ...{
      repository: await openRepository(repository),
      hasBaseline: true,
      namedData: options.namedData ?? [],
      model: options.model ?? null,
      swaps: options.swaps ?? [],
    },
  };
  const { argv, environment } = await containAndTry(where, sandbox, environmentOf(where, 'test/0.0'));
  const [program, ...args] = argv;
  const { stdout } = await run(program, [...args, '/bin/sh', '-c', script], { env: { ...environment } });
  return stdout;
}
