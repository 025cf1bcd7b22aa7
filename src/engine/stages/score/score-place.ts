import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Contract, Score } from '../../../shared/contract.ts';
import type { Study } from '../../../shared/study.ts';
import { matchEditable } from '../../contract/editable.ts';
import { exportFiles } from '../../git/export-files.ts';
import { removeBelow } from '../../git/remove.ts';
import { listTree } from '../../git/repository.ts';
import { studyFolder } from '../../paths.ts';
import type { Owner } from '../../process/terminal.ts';
import { findResource } from '../../resources.ts';
import { contain, environmentOf } from '../../sandbox/contain.ts';
import { real } from '../../sandbox/home-view.ts';
import type { SurroundingsPorts } from '../train/surroundings.ts';
import { type Artifact, copyArtifacts } from './artifacts.ts';

/** In a study's folder: what scoring works in, anew for each run. */
export const SCORE = 'score';
const CHECKOUT = 'checkout';
const ARTIFACTS = 'artifacts';
/** Numbers of the descriptors that the programs find open; see docs/scoring.md. */
const RESULT_FD = 3;
const READ_FD = 4;
const WRITE_FD = 5;

/** What a program of the score is started with. */
export type ScoreProgram = {
  readonly command: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What opens its descriptors, and the sandbox behind that. */
  readonly sandbox: readonly string[];
  readonly owner: Owner | null;
};

/**
 * Two checkouts that nothing of the training ever touched: the scorer's has what the user wrote and nobody may edit, the
 * model's is the attempt. Neither sees the other; a pair of pipes connects them.
 */
export class ScorePlace {
  readonly #study: Study;
  readonly #score: Score;
  readonly #ports: SurroundingsPorts;
  readonly #folder: string;

  private constructor(study: Study, score: Score, ports: SurroundingsPorts, folder: string) {
    this.#study = study;
    this.#score = score;
    this.#ports = ports;
    this.#folder = folder;
  }

  /** Lays out both. Rejects where the disk or git does not do its part. */
  static async make(
    study: Study,
    score: Score,
    { commit, artifacts }: { readonly commit: string; readonly artifacts: readonly Artifact[] },
    ports: SurroundingsPorts,
  ): Promise<ScorePlace> {
    const parent = await real(studyFolder(ports.paths, study.id));
    await removeBelow(parent, SCORE);
    const place = new ScorePlace(study, score, ports, join(parent, SCORE));
    const isEditable = matchEditable(study.contract.editable);
    await place.#layOut('scorer', study.baseCommit, path => !isEditable(path), artifacts);
    if (score.model !== null) await place.#layOut('model', commit, () => true, artifacts);
    await writeFile(place.#result, '');
    if (score.model !== null)
      await promisify(execFile)('mkfifo', ['-m', '600', place.#requests, place.#answers]);
    return place;
  }

  async remove(): Promise<void> {
    await removeBelow(dirname(this.#folder), SCORE);
  }

  /** What the scorer gave through its descriptor. */
  result(): Promise<string> {
    return readFile(this.#result, 'utf8');
  }

  /** @param marker in the environment of its processes */
  scorer(marker: string): Promise<ScoreProgram> {
    const { command, reads, model } = this.#score;
    const { contract } = this.#study;
    const sandbox = { ...contract.sandbox, reads: [...contract.sandbox.reads, ...reads] };
    const pipes =
      model === null
        ? []
        : [[WRITE_FD, '>', this.#requests] as const, [READ_FD, '<', this.#answers] as const];
    return this.#program({ ...contract, sandbox, score: null }, 'scorer', command, marker, [
      [RESULT_FD, '>', this.#result],
      ...pipes,
    ]);
  }

  /** The pipes are opened in the scorer's order, for each opening waits for the other side. */
  model(command: string, marker: string): Promise<ScoreProgram> {
    return this.#program(this.#study.contract, 'model', command, marker, [
      [READ_FD, '<', this.#requests],
      [WRITE_FD, '>', this.#answers],
    ]);
  }

  get #result(): string {
    return join(this.#folder, 'result');
  }
  get #requests(): string {
    return join(this.#folder, 'requests');
  }
  get #answers(): string {
    return join(this.#folder, 'answers');
  }

  async #layOut(
    who: 'scorer' | 'model',
    commit: string,
    isWanted: (path: string) => boolean,
    artifacts: readonly Artifact[],
  ): Promise<void> {
    const { repository, workbench } = this.#ports;
    const folder = join(this.#folder, who);
    const checkout = join(folder, CHECKOUT);
    await mkdir(checkout, { recursive: true });
    const paths = (await listTree(repository, commit))
      .filter(({ mode, path }) => /^1[02]0/.test(mode) && !path.includes('\0') && isWanted(path))
      .map(({ path }) => path);
    await exportFiles(repository, commit, paths, checkout);
    await mkdir(join(folder, ARTIFACTS));
    await copyArtifacts(workbench.path, artifacts, join(folder, ARTIFACTS));
    // What the set-up command left is needed here as well; it is read-only, and compared around each training.
    for (const path of workbench.preservedPaths()) {
      await mkdir(dirname(join(checkout, path)), { recursive: true });
      await symlink(join(workbench.path, path), join(checkout, path)).catch(ignoreExisting);
    }
  }

  async #program(
    contract: Contract,
    who: 'scorer' | 'model',
    command: string,
    marker: string,
    descriptors: readonly (readonly [number, '<' | '>', string])[],
  ): Promise<ScoreProgram> {
    const { paths, repository, workbench, userEnvironment, sandbox, gpu } = this.#ports;
    const folder = join(this.#folder, who);
    const library = findResource('scorer');
    const own: Record<string, string> = {
      ...environmentOf(
        { contract, repository, folder: studyFolder(paths, this.#study.id), userEnvironment },
        marker,
      ),
      ...gpu.variables,
      PAWL_ARTIFACTS: join(folder, ARTIFACTS),
      ...(who === 'scorer' ? { PAWL_SCORE_FD: String(RESULT_FD) } : {}),
      ...(this.#score.model === null ? {} : { PAWL_MODEL_FDS: `${READ_FD},${WRITE_FD}` }),
    };
    const environment = {
      ...own,
      ...(library === null ? {} : { PYTHONPATH: [library, own.PYTHONPATH].filter(Boolean).join(':') }),
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const opened = opening(descriptors);
    const cwd = join(folder, CHECKOUT);
    if (!sandbox || sandbox.isWorking === false)
      return { command, cwd, environment, sandbox: opened, owner: null };
    const preserved = workbench.preservedPaths().map(path => join(workbench.path, path));
    const contained = await contain(
      {
        ...{ repository, paths, userEnvironment, namedData: sandbox.namedData },
        contract: {
          ...contract,
          train: command,
          model: null,
          sandbox: { ...contract.sandbox, network: false, writes: [] },
        },
        // Its caches are its own, and gone afterwards.
        ...{ folder, worktree: folder, seals: { folders: ['.'], files: [] }, preserved: [], adminDir: null },
        ...{ hasBaseline: true, model: null },
        mounts: preserved.map(path => ({ what: path, where: path, isWritable: false })),
      },
      sandbox,
      environment,
    );
    return {
      command: `cd ${CHECKOUT} && ${command}`,
      cwd: folder,
      environment: contained.environment,
      sandbox: [...opened, ...contained.argv],
      owner: sandbox.identity,
    };
  }
}

/** A shell that opens descriptors, one after the other, and becomes what follows. */
function opening(descriptors: readonly (readonly [number, '<' | '>', string])[]): readonly string[] {
  const redirections = descriptors.map(([fd, how], at) => `${fd}${how}"$f${at}"`).join(' ');
  const names = descriptors.map((_, at) => `f${at}=$${at + 1}`).join('; ');
  const script = `${names}; shift ${descriptors.length}; exec "$@" ${redirections}`;
  return ['/bin/sh', '-c', script, 'pawl', ...descriptors.map(([, , path]) => path)];
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
