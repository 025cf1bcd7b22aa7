import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Telemetry } from '../src/engine/machine/telemetry.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { Engine } from '../src/engine/session/engine.ts';
import type { EngineOptions } from '../src/engine/session/engine-options.ts';
import type { NewStudy } from '../src/engine/session/start/create-study.ts';
import type { EngineEvent } from '../src/shared/events.ts';

const run = promisify(execFile);

type BenchStudy = Omit<NewStudy, 'repositoryPath'> & {
  /** File contents by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment?: NodeJS.ProcessEnv;
  readonly telemetry?: Telemetry;
  readonly engine?: Pick<EngineOptions, 'isLookingAhead'>;
};

/**
 * Runs a study in its own repository until it ends, then removes both. Rejects if anything but the number of
 * experiments ended it.
 */
export async function runBenchStudy(
  { files, environment: more, telemetry, engine: options, ...input }: BenchStudy,
  onEvent: (event: EngineEvent, engine: Engine, studyId: string) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const repository = join(folder, 'repository');
    await run('git', ['init', '--quiet', '--initial-branch=main', repository]);
    for (const [path, text] of Object.entries(files)) await writeFile(join(repository, path), text);
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost', ...args], { cwd: repository });
    await git('add', '.');
    await git('commit', '--quiet', '--message=start');
    const environment = { ...process.env, PAWL_SANDBOX: 'off', ...more, PAWL_HOME: join(folder, 'home') };
    const engine = await Engine.open(
      {
        paths: dataPaths(environment),
        host: 'bench',
        environment,
        ...options,
        ...(telemetry && { telemetry }),
      },
      null,
    );
    const { id } = await engine.createStudy({ tag: 'bench', ...input, repositoryPath: repository });
    const end = await engine.run(id, {}, event => onEvent(event, engine, id));
    engine.close();
    if (end.reason !== 'experiments')
      throw new Error(`the study ended otherwise: ${end.reason} ${end.detail}`);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The `pawl.toml` of a repository whose training is one shell script, `train.sh`. */
export function scriptContract(seconds: number): string {
  return `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "val_bpb"
[budget]
seconds = ${seconds}
`;
}

/** GPUs that can be lanes, without any readings. */
export function standInGpus(count: number): Telemetry {
  const gpus = Array.from({ length: count }, (_, index) => ({
    ...{ index, uuid: `GPU-0000000${index}`, name: 'Stand-in', maker: 'nvidia' },
  }));
  const telemetry = { knownGpus: async () => gpus, onSample: () => () => {}, gpuState: { kind: 'sampling' } };
  return telemetry as unknown as Telemetry;
}
