import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Study } from '../../../shared/study.ts';
import { matchEditable, mayMatchBelow } from '../../contract/editable.ts';
import { Conversions } from '../../git/conversions.ts';
import {
  commitPlainEdit,
  type PlainCommit,
  type PlainPlace,
  takeBackPlainEdit,
} from '../../git/plain-edit.ts';
import { removeBelow, removeLeftovers } from '../../git/remove.ts';
import { listTree, type Repository } from '../../git/repository.ts';
import {
  areUntouched,
  changedPaths,
  countEditableLines,
  digestEditable,
  type Files,
  type Scan,
  type ScanOptions,
  WorktreeScanner,
} from '../../git/scan.ts';
import {
  commitPaths,
  forgetIndex,
  gitIn,
  hasIntactLink,
  mendWorktree,
  openWorktree,
  resetWorktree,
  showHead,
  type Worktree,
} from '../../git/worktree.ts';
import type { Written } from '../../remote/remote-training.ts';
import type { Seals } from '../../sandbox/seals.ts';
import { statNow } from '../../small-files.ts';
import { ForeignPaths } from './foreign-paths.ts';
import { type AcceptableEdit, type Edit, judgeEdit, refuseEdit } from './judge-edit.ts';
import { type CheckedOut, TrainingLocks } from './training-locks.ts';

/** git's mode of a submodule in a tree. */
const SUBMODULE_MODE = '160000';

/** Runs the contract's set-up command in a fresh checkout; `isNew` means that an earlier set-up's files are gone. */
export type SetUp = (workbench: Workbench, isNew: boolean) => Promise<void>;

/**
 * How the worktree compares with the checked-out commit. `exact`: nothing was changed. `littered`: no tracked file
 * was changed, but there are other files. `unknown`: anything may have changed.
 */
type WorktreeState = 'exact' | 'littered' | 'unknown';

/** The last pass finds nothing to remove; if even ten passes are not enough, another process keeps writing. */
const CLEANING_PASSES = 10;

/**
 * A study's worktree as the contract sees it: what is tracked, what may change, what did change. Every experiment
 * starts from exactly the incumbent's files, and every training from exactly the attempt's.
 */
export class Workbench {
  readonly #repository: Repository;
  readonly #isEditable: (path: string) => boolean;
  readonly #baseCommit: string;
  readonly #locks: TrainingLocks;
  readonly #scanner: WorktreeScanner;
  readonly #path: string;
  readonly #skip = new Set<string>();
  #worktree: Worktree | null = null;
  #commit = '';
  #tracked: ReadonlySet<string> = new Set();
  /** Tracked paths by commit: the incumbent's and the latest attempt's, because the loop alternates between them. */
  #trackedOf = new Map<string, ReadonlySet<string>>();
  /** The files of the current commit. */
  #pristine: Files = new Map();
  #state: WorktreeState = 'unknown';
  /** The last commit, if the parent's files can be restored in the same quick way. */
  #plain: PlainCommit | null = null;
  #conversions: Conversions | null = null;
  /** The edit that was judged last, and the files seen then. */
  #edited: { readonly edit: Edit; readonly scan: Scan } | null = null;
  #isSetUp = false;
  /** Files that may not be edited, as in the sitting's first checkout. */
  #first: Files | null = null;

  readonly #signal: AbortSignal;
  readonly #setUp: SetUp | null;

  /**
   * @param path absolute, without symbolic links
   * @param signal the sitting's; when it is aborted, scanning, cleaning and setting up reject with an AbortError
   * @param setUp called with a fresh checkout, before anything runs in it
   */
  constructor(
    repository: Repository,
    path: string,
    study: Pick<Study, 'contract' | 'preserved' | 'outputs' | 'writtenFolders' | 'baseCommit'>,
    signal: AbortSignal,
    setUp: SetUp | null,
  ) {
    const { editable, locked } = study.contract;
    this.#repository = repository;
    this.#path = path;
    this.#isEditable = matchEditable(editable);
    this.#baseCommit = study.baseCommit;
    this.#locks = new TrainingLocks(study);
    this.#scanner = new WorktreeScanner(path, {
      isEditable: this.#isEditable,
      isNamedLocked: file => this.#locks.isNamed(file),
      mayHold: mayMatchBelow([...editable, ...(locked ?? [])]),
    });
    this.#signal = signal;
    this.#setUp = setUp;
    this.keep(study.preserved);
  }

  get worktree(): Worktree {
    if (!this.#worktree) throw new Error('the workbench is not open');
    return this.#worktree;
  }

  get #place(): PlainPlace {
    this.#conversions ??= new Conversions(this.#repository, this.worktree);
    return { repository: this.#repository, worktree: this.worktree, conversions: this.#conversions };
  }

  get #checkedOut(): CheckedOut {
    return {
      ...{ tracked: this.#tracked, files: this.#pristine },
      isUsersOwn: this.#commit === this.#baseCommit,
    };
  }

  get path(): string {
    return this.#path;
  }

  /** Whether its folder exists; the next checkout makes it anew. */
  isThere(): boolean {
    return statNow(this.#path)?.isDirectory() ?? false;
  }

  /** Excludes untracked paths from scans and cleaning. */
  keep(preserved: readonly string[]): void {
    for (const path of preserved) this.#skip.add(path);
  }

  /** The paths that {@link keep} excludes. */
  preservedPaths(): readonly string[] {
    return [...this.#skip];
  }

  /** The set-up command's files have been changed: removes them, so that the next checkout runs the set-up again. */
  async discardSetUp(): Promise<void> {
    for (const path of this.#skip) await removeBelow(this.#path, path, this.#signal);
    this.#skip.clear();
    this.#isSetUp = false;
    this.#state = 'unknown';
  }

  /** Call it before anything else writes into the worktree. */
  markDirty(): void {
    this.#state = 'unknown';
  }

  /**
   * Makes the worktree match the commit exactly: repairs git's record, resets tracked files, and removes everything
   * else except preserved paths. If the worktree has to be created anew, it is set up first.
   */
  async checkout(commit: string): Promise<void> {
    const { worktree, isNew } = await openWorktree(this.#repository, this.#path, commit, this.#signal);
    this.#worktree = worktree;
    if (!isNew && this.#state === 'exact' && this.#commit === commit) return;
    // A sitting's first checkout does not trust what an earlier sitting left.
    if (!this.#isSetUp) await forgetIndex(worktree);
    if (this.#setUp && (isNew || !this.#isSetUp)) {
      // The set-up runs as the user, so it must find the commit that the user agreed to, without files of attempts or
      // trainings.
      await this.#layOut(worktree, this.#baseCommit);
      await this.#clean();
      await this.#setUp(this, isNew);
    }
    if (isNew || !(await this.#goBack(commit))) await this.#layOut(worktree, commit);
    this.#isSetUp = true;
    this.#pristine = await this.#clean();
    if (!this.#agreesWithFirst()) {
      // Something hid a change from git. Once every file is written anew, they can only be the commit's.
      await forgetIndex(worktree);
      await resetWorktree(worktree, commit, this.#signal);
      this.#pristine = await this.#clean();
      if (!this.#agreesWithFirst()) throw new Error('the worktree cannot be made what the commit says');
    }
    this.#state = 'exact';
  }

  /**
   * Restores the commit's tracked files without looking at all of them: they are unchanged, or differ by one plain
   * edit. False if a full checkout is needed.
   */
  async #goBack(commit: string): Promise<boolean> {
    if (this.#state === 'unknown') return false;
    this.#state = 'unknown';
    const plain = this.#plain;
    if (this.#commit === commit) await showHead(this.worktree, commit);
    else if (plain?.commit !== this.#commit || plain.parent !== commit) return false;
    else if (!(await takeBackPlainEdit(this.#place, plain))) return false;
    this.#remember(commit, this.#tracked);
    return true;
  }

  /** Writes the commit's tracked files. */
  async #layOut(worktree: Worktree, commit: string): Promise<void> {
    await resetWorktree(worktree, commit, this.#signal);
    this.#remember(commit, this.#trackedOf.get(commit) ?? (await this.#listTracked(commit)));
  }

  /** Whether the files that may not be edited are the same as in the sitting's first checkout. */
  #agreesWithFirst(): boolean {
    const fixed = new Map([...this.#pristine].filter(([path]) => !this.#isEditable(path)));
    this.#first ??= fixed;
    return changedPaths(this.#first, fixed).length === 0;
  }

  async #listTracked(commit: string): Promise<ReadonlySet<string>> {
    return new Set((await listTree(this.#repository, commit)).map(entry => entry.path));
  }

  #remember(commit: string, tracked: ReadonlySet<string>): void {
    const before = this.#trackedOf.get(this.#commit);
    this.#trackedOf = new Map([...(before ? [[this.#commit, before] as const] : []), [commit, tracked]]);
    this.#tracked = tracked;
    this.#commit = commit;
  }

  /** What the set-up command made: untracked paths, with whole folders as one entry, and the submodules it filled. */
  async listMade(): Promise<readonly string[]> {
    const { worktree } = this;
    const { stdout } = await gitIn(worktree, ['ls-files', '-z', '--others', '--directory']);
    const made = stdout.toString('utf8').split('\0').filter(Boolean);
    const tree = await listTree(this.#repository, this.#commit);
    for (const { mode, path } of tree) {
      if (mode !== SUBMODULE_MODE) continue;
      const entries = await readdir(join(worktree.path, path)).catch(() => []);
      if (entries.length > 0) made.push(path);
    }
    return made.map(path => path.replace(/\/$/, '')).filter(path => !this.#isEditable(path));
  }

  editableFiles(): readonly string[] {
    return [...this.#pristine]
      .filter(([path, { kind }]) => kind === 'file' && this.#isEditable(path))
      .map(([path]) => path)
      .sort();
  }

  /** As in {@link TrainingLocks}. */
  lockedFiles(): readonly string[] {
    return this.#locks.lockedFiles(this.#checkedOut);
  }

  /** Files of the user's own commit, whose runs show what they write; none for any other. */
  observedFiles(): readonly string[] {
    const { isUsersOwn, tracked } = this.#checkedOut;
    return isUsersOwn ? [...tracked].filter(path => !path.includes('\0')) : [];
  }

  /** As in {@link TrainingLocks}. */
  seals(writes: readonly string[]): Seals {
    return this.#locks.seals(writes, this.#checkedOut);
  }

  /** Whether a training must not change the path. */
  isLocked(path: string): boolean {
    return this.#locks.isLocked(path, this.#checkedOut);
  }

  /** What the baseline's runs have written; see {@link Study}. */
  written(): Pick<Study, 'outputs' | 'writtenFolders'> {
    return this.#locks.written();
  }

  /** What a run of the user's own commit has written on another machine. */
  learn({ files, folders }: Written): void {
    this.#locks.learn(files, folders, this.#checkedOut);
  }

  /** Call it before a run, see {@link TrainingLocks.beginRun}. */
  async beginRun(): Promise<void> {
    this.#state = 'unknown';
    await this.#locks.beginRun(this.#path, this.#checkedOut);
  }

  digest(): string {
    return digestEditable(this.#pristine, this.#isEditable);
  }

  sourceLines(): number {
    return countEditableLines(this.#pristine);
  }

  /**
   * Judges the changes since `checkout` (for a repair, since the crashed attempt). Only editable regular files may
   * differ. New files that git ignores are not part of an edit, and are removed before the training.
   */
  async readEdit(): Promise<Edit> {
    this.#state = 'unknown';
    if (!hasIntactLink(this.worktree)) return refuseEdit('not_editable', 'The edit touches .git.');
    const foreign = new ForeignPaths(this.worktree, this.#isEditable, this.#signal);
    const scan = await this.#look(leftovers => foreign.add(leftovers));
    const edit = judgeEdit(
      { before: this.#pristine, scan, foreign: foreign.found },
      { tracked: this.#tracked, isEditable: this.#isEditable },
    );
    this.#edited = { edit, scan };
    return edit;
  }

  /**
   * Commits the edit on top of `parent` and leaves the worktree exactly as committed. Returns the commit, or null if
   * git's filters remove every difference.
   */
  async commit(
    edit: AcceptableEdit,
    parent: string,
    message: string,
    identity: Readonly<Record<string, string>>,
  ): Promise<string | null> {
    await mendWorktree(this.worktree, parent);
    const { paths } = edit;
    const isFile = (path: string) =>
      this.#tracked.has(path) && !statNow(join(this.#path, path))?.isDirectory();
    const isPlain = this.#commit === parent && paths.every(isFile);
    const asked = { parent, message, paths, identity };
    const plain = isPlain ? await commitPlainEdit(this.#place, asked) : null;
    if (plain === 'unchanged') return null;
    const commit = plain?.commit ?? (await commitPaths(this.worktree, { ...asked, isPlain }));
    if (commit === null) return null;
    this.#plain = plain;
    this.#remember(commit, plain ? this.#tracked : await this.#trackedWith(paths));
    this.#pristine = (plain && this.#filesOf(edit)) ?? (await this.#clean());
    this.#state = 'exact';
    return commit;
  }

  /** The files seen when the edit was judged; null if some have to be removed. */
  #filesOf({ digest }: AcceptableEdit): Files | null {
    const { edit, scan } = this.#edited ?? {};
    return edit?.kind === 'edit' && edit.digest === digest && scan?.hasLeftovers === false
      ? scan.files
      : null;
  }

  /** The tracked paths once these are committed as they are on disk. */
  async #trackedWith(paths: readonly string[]): Promise<ReadonlySet<string>> {
    const tracked = new Set(this.#tracked);
    for (const path of paths) {
      const isThere = await lstat(join(this.#path, path)).catch(() => null);
      if (isThere) tracked.add(path);
      else tracked.delete(path);
    }
    return tracked;
  }

  /** Call it after a run: the locked files that it changed, see {@link TrainingLocks.endRun}. */
  async findTouchedLocks(): Promise<readonly string[]> {
    this.#state = 'unknown';
    // Undoes whatever the training did to git's record of the worktree.
    await mendWorktree(this.worktree, this.#commit);
    const { files, hasLeftovers } = await this.#look();
    const changed = changedPaths(this.#pristine, files);
    if (areUntouched(this.#pristine, files)) this.#state = hasLeftovers ? 'littered' : 'exact';
    return this.#locks.endRun(changed, this.#checkedOut);
  }

  /** The files now, for comparison with the commit's. */
  #look(onLeftovers?: ScanOptions['onLeftovers']): Promise<Scan> {
    const options = { signal: this.#signal, expected: this.#pristine, onLeftovers };
    return this.#scanner.scan({ tracked: this.#tracked, skip: this.#skip }, options);
  }

  /** Removes everything that is neither tracked nor preserved, and returns what remains. */
  async #clean(): Promise<Files> {
    const signal = this.#signal;
    const layout = { tracked: this.#tracked, skip: this.#skip };
    // On some file systems, removing an entry while its folder is read can hide another one.
    for (let pass = 0; pass < CLEANING_PASSES; pass += 1) {
      const { files, hasLeftovers } = await this.#scanner.scan(layout, {
        ...{ signal, isCleaning: true },
        onLeftovers: leftovers => removeLeftovers(leftovers, signal),
      });
      if (!hasLeftovers) return files;
    }
    throw new Error('the worktree cannot be cleaned: something writes in it');
  }
}
