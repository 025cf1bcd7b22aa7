import type { Study } from '../../../shared/study.ts';
import { matchEditable, matchPaths, mayMatchBelow } from '../../contract/editable.ts';
import { isCodeName, isOutputName } from '../../contract/outputs.ts';
import type { Files } from '../../git/scan.ts';
import { planSeals, type Seals } from '../../sandbox/seals.ts';
import { FolderWatch } from './folder-watch.ts';

/** A commit that is checked out. */
export type CheckedOut = {
  readonly tracked: ReadonlySet<string>;
  readonly files: Files;
  /** Whether it is the one the user began with. */
  readonly isUsersOwn: boolean;
};

/** What a training must not change, and what the user's own code was seen to write. */
export class TrainingLocks {
  readonly #editable: readonly string[];
  readonly #isEditable: (path: string) => boolean;
  readonly #isNamedLocked: ((path: string) => boolean) | null;
  readonly #instructions: string | null;
  /** Tracked files that the user's own code has written. */
  readonly #outputs: Set<string>;
  /** Tracked folders in which it created, renamed or deleted something; null until that was observed. */
  #writtenFolders: Set<string> | null;
  #watch: FolderWatch | null = null;

  constructor({ contract, outputs, writtenFolders }: Pick<Study, 'contract' | 'outputs' | 'writtenFolders'>) {
    const { editable, locked, instructions } = contract;
    this.#editable = editable;
    this.#isEditable = matchEditable(editable);
    this.#isNamedLocked = locked && matchPaths(locked);
    this.#instructions = instructions;
    this.#outputs = new Set(outputs);
    this.#writtenFolders = writtenFolders && new Set(writtenFolders);
  }

  /** Whether the contract names the path as locked. */
  isNamed(path: string): boolean {
    return this.#isNamedLocked?.(path) === true;
  }

  /** Whether a training must not change the path. */
  isLocked(path: string, at: CheckedOut): boolean {
    if (this.#isNamedLocked) return this.#isNamedLocked(path);
    return at.tracked.has(path) && !this.#isEditable(path) && !this.#mayBeWritten(path, at);
  }

  /**
   * Whether the checked-out code may write a tracked file; the next checkout restores it. The user's own code may
   * write anything but code and configuration, because its outputs are not known yet; a proposer's code may write
   * only known outputs.
   */
  #mayBeWritten(path: string, { files, isUsersOwn }: CheckedOut): boolean {
    const was = files.get(path);
    if (was?.kind !== 'file' || was.executable || isCodeName(path) || path === this.#instructions)
      return false;
    return isUsersOwn || this.#outputs.has(path) || isOutputName(path);
  }

  /** Plain files of the commit that a training must not change. */
  lockedFiles(at: CheckedOut): readonly string[] {
    return [...at.files]
      .filter(([path, { kind }]) => kind === 'file' && this.isLocked(path, at) && !path.includes('\0'))
      .map(([path]) => path)
      .sort();
  }

  /**
   * What is read-only for a training. For the user's own code only single files are, so that it shows which folders
   * it writes in.
   * @param writes patterns of files that the contract lets a training write anyway
   */
  seals(writes: readonly string[], at: CheckedOut): Seals {
    return planSeals({
      locked: this.lockedFiles(at),
      unlocked: [...at.tracked].filter(path => !this.isLocked(path, at)),
      writtenFolders: at.isUsersOwn || !this.#writtenFolders ? null : [...this.#writtenFolders],
      mayBeWritten: mayMatchBelow([...this.#editable, ...writes]),
    });
  }

  /** What the baseline's runs have written; see {@link Study}. */
  written(): Pick<Study, 'outputs' | 'writtenFolders'> {
    return { outputs: [...this.#outputs], writtenFolders: this.#writtenFolders && [...this.#writtenFolders] };
  }

  /**
   * Call it before a run: for the user's own code, the folders in which it writes are recorded, see {@link
   * FolderWatch}.
   */
  async beginRun(worktree: string, { tracked, isUsersOwn }: CheckedOut): Promise<void> {
    this.#watch = isUsersOwn ? await FolderWatch.begin(worktree, tracked) : null;
  }

  /**
   * The locked files among those that a run changed. Other tracked files that the user's own code changed count as
   * outputs from now on, see {@link written}.
   */
  async endRun(changed: readonly string[], at: CheckedOut): Promise<readonly string[]> {
    if (this.#watch) this.learn(changed, await this.#watch.listWritten(), at);
    this.#watch = null;
    return changed.filter(path => this.isLocked(path, at));
  }

  /** Remembers what a run of the user's own code has written. */
  learn(files: readonly string[], folders: readonly string[], at: CheckedOut): void {
    this.#writtenFolders ??= new Set();
    for (const folder of folders) this.#writtenFolders.add(folder);
    if (this.#isNamedLocked !== null) return;
    for (const path of files)
      if (this.#mayBeWritten(path, at) && !this.#isEditable(path)) this.#outputs.add(path);
  }
}
