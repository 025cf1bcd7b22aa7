import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import {
  copyFile,
  cp,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Score } from '../../../shared/contract/contract.ts';
import type { Study } from '../../../shared/study.ts';
import { matchEditable } from '../../contract/editable.ts';
import { exportFiles } from '../../git/export-files.ts';
import { removeBelow } from '../../git/remove.ts';
import { listTree } from '../../git/repository.ts';
import { studyFolder } from '../../paths.ts';
import type { Owner } from '../../process/terminal.ts';
import { findResource } from '../../resources.ts';
import { environmentOf } from '../../sandbox/contain.ts';
import { containScore } from '../../sandbox/contain-score.ts';
import { real } from '../../sandbox/home-view.ts';
import { keptFrom, openedIn, plainPaths } from '../../sandbox/training-jail.ts';
import type { SurroundingsPorts } from '../train/surroundings.ts';
import { type Artifact, type Ask, copyArtifacts } from './artifacts.ts';

/** In a study's folder: the working folder for scoring, recreated for each run. */
export const SCORE = 'score';
/** Each folder is a mount; other files that the set-up command left are copied. */
const MAX_MOUNTED = 50;
/** Numbers of the descriptors that the programs have open; see docs/scoring.md. */
const RESULT_FD = 3;
const FIRST_PIPE_FD = 4;

/** There are two model programs that know nothing of each other; see docs/scoring.md. */
const MODELS = ['model', 'twin'] as const;
type ModelProgram = (typeof MODELS)[number];
type Who = 'scorer' | ModelProgram;

/** How a scoring program is started. */
export type ScoreProgram = {
  readonly command: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The command that opens its descriptors, followed by the sandbox. */
  readonly sandbox: readonly string[];
  readonly owner: Owner | null;
};

type Layout = {
  /** Folders that the set-up command left, to be mounted; and paths in them that a training may have written. */
  readonly preserved: readonly string[];
  readonly emptied: readonly string[];
};

/**
 * Two checkouts that no training has touched: the scorer's contains the user's files that may not be edited, the
 * model's contains the attempt. Neither sees the other; a pair of pipes connects them.
 */
export class ScorePlace {
  readonly #study: Study;
  readonly #score: Score;
  readonly #ports: SurroundingsPorts;
  readonly #folder: string;
  readonly #layouts = new Map<Who, Layout>();
  /** The pipes of each model program, held open so that a program does not wait for one that never starts. */
  #pipes = new Map<ModelProgram, readonly FileHandle[]>();

  private constructor(study: Study, score: Score, ports: SurroundingsPorts, folder: string) {
    this.#study = study;
    this.#score = score;
    this.#ports = ports;
    this.#folder = folder;
  }

  /** An empty place; removes what an earlier one left. */
  static async open(study: Study, score: Score, ports: SurroundingsPorts): Promise<ScorePlace> {
    await mkdir(ports.folder, { recursive: true });
    const parent = await real(ports.folder);
    await removeBelow(parent, SCORE);
    await mkdir(join(parent, SCORE), { recursive: true });
    return new ScorePlace(study, score, ports, join(parent, SCORE));
  }

  /**
   * Lays out both checkouts, with the artifacts that the training left in `from`. Rejects with errors of the file
   * system and git, and with an AbortError.
   */
  async layOut(
    commit: string,
    from: string,
    artifacts: readonly Artifact[],
    signal: AbortSignal,
    ask: Ask,
  ): Promise<void> {
    const { baseCommit, contract } = this.#study;
    const isEditable = matchEditable(contract.editable);
    await copyArtifacts(from, artifacts, await this.#make('artifacts'), signal, ask);
    await this.#layOut('scorer', baseCommit, path => !isEditable(path));
    await writeFile(this.#result, '');
    for (const who of this.models) await this.#layOut(who, commit, () => true);
    const pipes = this.models.flatMap(who => [this.#requests(who), this.#answers(who)]);
    if (pipes.length === 0) return;
    await promisify(execFile)('mkfifo', ['-m', '600', ...pipes]);
    const opened = await Promise.all(pipes.map(path => open(path, constants.O_RDWR)));
    this.#pipes = new Map(this.models.map((who, at) => [who, opened.slice(2 * at, 2 * at + 2)]));
  }

  /** Programs that answer for the model. */
  get models(): readonly ModelProgram[] {
    if (this.#score.model === null) return [];
    return this.#score.hasTwin ? MODELS : ['model'];
  }

  /** A model program or the scorer has ended: from now on, reading gives the end of the data, and writing fails. */
  async closePipes(models: readonly ModelProgram[] = this.models): Promise<void> {
    for (const who of models) {
      const pipes = this.#pipes.get(who) ?? [];
      this.#pipes.delete(who);
      for (const pipe of pipes) await pipe.close();
    }
  }

  async remove(): Promise<void> {
    await this.closePipes();
    await removeBelow(dirname(this.#folder), SCORE);
  }

  /** What the scorer wrote to its descriptor. */
  result(): Promise<string> {
    return readFile(this.#result, 'utf8');
  }

  /** @param marker in the environment of its processes */
  scorer(marker: string): Promise<ScoreProgram> {
    const { command, reads } = this.#score;
    const pipes = this.models.flatMap((who, at) => [
      [FIRST_PIPE_FD + 2 * at, '<', this.#answers(who)] as const,
      [FIRST_PIPE_FD + 2 * at + 1, '>', this.#requests(who)] as const,
    ]);
    const variables = Object.fromEntries(
      this.models.map((who, at) => [`PAWL_${who.toUpperCase()}_FDS`, pipePair(at)] as const),
    );
    const seen = { command, marker, reads, withheld: [] };
    return this.#program('scorer', seen, { ...variables, PAWL_SCORE_FD: String(RESULT_FD) }, [
      [RESULT_FD, '>', this.#result],
      ...pipes,
    ]);
  }

  model(who: ModelProgram, command: string, marker: string): Promise<ScoreProgram> {
    const seen = { command, marker, reads: [], withheld: this.#score.reads };
    return this.#program(who, seen, { PAWL_MODEL_FDS: pipePair(0) }, [
      [FIRST_PIPE_FD, '<', this.#requests(who)],
      [FIRST_PIPE_FD + 1, '>', this.#answers(who)],
    ]);
  }

  get #result(): string {
    return join(this.#folder, 'result');
  }
  #requests(who: ModelProgram): string {
    return join(this.#folder, `requests-${who}`);
  }
  #answers(who: ModelProgram): string {
    return join(this.#folder, `answers-${who}`);
  }

  async #make(name: string): Promise<string> {
    const folder = join(this.#folder, name);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  async #layOut(who: Who, commit: string, isWanted: (path: string) => boolean): Promise<void> {
    const { repository } = this.#ports;
    const checkout = await this.#make(`${who}/checkout`);
    const paths = (await listTree(repository, commit))
      .filter(({ mode, path }) => /^1[02]0/.test(mode) && !path.includes('\0') && isWanted(path))
      .map(({ path }) => path);
    await exportFiles(repository, commit, paths, checkout);
    this.#layouts.set(who, await this.#layOutPreserved(checkout));
  }

  /**
   * Provides the set-up command's files that no training may write: mounts folders, copies files because there may be
   * many, and keeps links as links, wherever they lead.
   */
  async #layOutPreserved(checkout: string): Promise<Layout> {
    const { workbench } = this.#ports;
    const { contract } = this.#study;
    const kept = keptFrom(contract, workbench.preservedPaths());
    const plain = new Set(await plainPaths(workbench.path, kept));
    const mounted: string[] = [];
    for (const path of kept) {
      const [from, to] = [join(workbench.path, path), join(checkout, path)];
      const found = await lstat(from).catch(() => null);
      await mkdir(dirname(to), { recursive: true });
      if (found?.isSymbolicLink()) await symlink(await readlink(from), to).catch(ignoreExisting);
      else if (!found || !plain.has(path)) continue;
      else if (!found.isDirectory()) await copyFile(from, to, constants.COPYFILE_FICLONE);
      else if (mounted.length >= MAX_MOUNTED) await cp(from, to, { recursive: true, verbatimSymlinks: true });
      else {
        mounted.push(path);
        if (this.#isContained()) await mkdir(to, { recursive: true });
        else await symlink(from, to).catch(ignoreExisting);
      }
    }
    const emptied = await plainPaths(workbench.path, openedIn(contract, mounted));
    return { preserved: mounted, emptied };
  }

  #isContained(): boolean {
    const { sandbox } = this.#ports;
    return sandbox !== null && sandbox.isWorking !== false;
  }

  async #program(
    who: Who,
    {
      command,
      marker,
      ...seen
    }: {
      readonly command: string;
      readonly marker: string;
      readonly reads: readonly string[];
      readonly withheld: readonly string[];
    },
    variables: Readonly<Record<string, string>>,
    descriptors: readonly (readonly [number, '<' | '>', string])[],
  ): Promise<ScoreProgram> {
    const { paths, repository, workbench, userEnvironment, sandbox, namedData, gpu } = this.#ports;
    const { contract, id } = this.#study;
    const checkout = join(this.#folder, who, 'checkout');
    const artifacts = join(this.#folder, 'artifacts');
    const library = findResource('scorer');
    const own: Record<string, string> = {
      ...environmentOf(
        {
          ...{ contract, repository, folder: studyFolder(paths, id), userEnvironment },
          // What the training did to its worktree says nothing here; the sandbox shows this checkout in its place.
          ...{ worktree: checkout, shownAt: this.#isContained() ? workbench.path : checkout },
        },
        marker,
      ),
      ...gpu.variables,
      PAWL_ARTIFACTS: artifacts,
      ...variables,
    };
    const environment = {
      ...own,
      ...(library === null ? {} : { PYTHONPATH: [library, own.PYTHONPATH].filter(Boolean).join(':') }),
    };
    const opened = opening(descriptors);
    if (!sandbox || !this.#isContained())
      return { command, cwd: checkout, environment, sandbox: opened, owner: null };
    const layout = this.#layouts.get(who) ?? { preserved: [], emptied: [] };
    const plan = {
      ...{ contract, repository, paths, userEnvironment, namedData, command, checkout },
      ...{ worktree: workbench.path, artifacts, own: await this.#make(`${who}/own`), ...layout, ...seen },
    };
    const contained = await containScore(plan, sandbox, environment);
    return {
      ...{ command, cwd: checkout, environment: contained.environment },
      ...{ sandbox: [...opened, ...contained.argv], owner: sandbox.identity },
    };
  }
}

/** Descriptors for reading and writing, of the nth pair. */
function pipePair(at: number): string {
  return `${FIRST_PIPE_FD + 2 * at},${FIRST_PIPE_FD + 2 * at + 1}`;
}

/** A shell that opens descriptors, one after the other, and then becomes the command after it. */
function opening(descriptors: readonly (readonly [number, '<' | '>', string])[]): readonly string[] {
  const redirections = descriptors.map(([fd, how], at) => `${fd}${how}"$f${at}"`).join(' ');
  const names = descriptors.map((_, at) => `f${at}=$${at + 1}`).join('; ');
  const script = `${names}; shift ${descriptors.length}; exec "$@" ${redirections}`;
  return ['/bin/sh', '-c', script, 'pawl', ...descriptors.map(([, , path]) => path)];
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
