import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import envPaths from 'env-paths';

/** Paths in the data folder, which is never inside a repository. */
export type DataPaths = {
  readonly home: string;
  readonly ledger: string;
  readonly lock: string;
  readonly lockHolder: string;
  readonly worktrees: string;
  readonly studies: string;
  /**
   * In the system's folder for temporary files instead, so that programs working there have none of the data around
   * them.
   */
  readonly scratch: string;
};

/** `PAWL_HOME`, or the platform's folder for application data. */
export function dataPaths(environment: NodeJS.ProcessEnv): DataPaths {
  const home = resolve(environment.PAWL_HOME || envPaths('pawl', { suffix: '' }).data);
  return {
    home,
    ledger: join(home, 'pawl.sqlite'),
    lock: join(home, 'engine.lock'),
    lockHolder: join(home, 'engine.json'),
    worktrees: join(home, 'worktrees'),
    studies: join(home, 'studies'),
    get scratch() {
      return join(tmpdir(), `pawl-${digest(home).slice(0, 16)}`);
    },
  };
}

function digest(text: string): string {
  // Loaded only here: it takes longer to load than a look at the ledger, which does not need it.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(text).digest('hex');
}

/** The name of a lane's worktree. The first lane uses the study's own. */
export function laneWorktree(study: { readonly worktreeName: string }, lane: number): string {
  return lane === 0 ? study.worktreeName : `${study.worktreeName}.${lane}`;
}

/** A folder in the study's folder, for files of further lanes. The first lane uses the study's own folder. */
export function laneFolder(paths: DataPaths, studyId: string, lane: number): string {
  const folder = studyFolder(paths, studyId);
  return lane === 0 ? folder : join(folder, 'lanes', String(lane));
}

export function studyFolder(paths: DataPaths, studyId: string): string {
  return join(paths.studies, studyId);
}

/** Folder of one run: `runs/<n>` for an experiment's first, `runs/<n>.<k>` for further ones. */
function runFolder(paths: DataPaths, studyId: string, n: number, k: number): string {
  return join(studyFolder(paths, studyId), 'runs', k === 0 ? String(n) : `${n}.${k}`);
}

export function runLog(paths: DataPaths, studyId: string, n: number, k: number): string {
  return join(runFolder(paths, studyId, n, k), 'output.log');
}

export function resultsTsv(paths: DataPaths, studyId: string): string {
  return join(studyFolder(paths, studyId), 'results.tsv');
}

/** Whether a path is the folder itself or inside it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
