import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Study } from '../../../shared/study.ts';
import { matchEditable, matchPaths, mayMatchBelow } from '../../contract/editable.ts';
import { isCodeName, isOutputName } from '../../contract/outputs.ts';
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
import { planSeals, type Seals } from '../../sandbox/seals.ts';
import { statNow } from '../../small-files.ts';
import { FolderWatch } from './folder-watch.ts';
import { ForeignPaths } from './foreign-paths.ts';
import { type AcceptableEdit, type Edit, judgeEdit, refuseEdit } from './judge-edit.ts';

/** git's mode of a submodule in a tree. */
const SUBMODULE_MODE = '160000';

/** Runs the contract's set-up command in a fresh checkout; `isNew` where an earlier one's work is gone. */
export type SetUp = (workbench: Workbench, isNew: boolean) => Promise<void>;

/**
 * How the worktree compares with the commit that is checked out. `exact`: nothing was changed. `littered`: nothing that is tracked was
 * changed, and something else lies there. `unknown`: somebody may have changed anything.
 */
type WorktreeState = 'exact' | 'littered' | 'unknown';

/** The last one finds nothing to remove; where not even that is so, somebody else is at work. */
const CLEANING_PASSES = 10;

/**
 * A study's worktree with the contract's eyes: what is tracked, what may change, what did change. Every experiment
 * starts from exactly the incumbent's files, and every training from exactly the attempt's.
 */
export class Workbench {
  readonly #repository: Repository;
  readonly #editable: readonly string[];
  readonly #isEditable: (path: string) => boolean;
  readonly #isNamedLocked: ((path: string) => boolean) | null;
  readonly #instructions: string | null;
  readonly #baseCommit: string;
  /** Tracked files that the user's own code was seen to write. */
  readonly #outputs: Set<string>;
  /** Tracked folders in which it made, renamed or deleted something; null before it was watched. */
  #writtenFolders: Set<string> | null;
  #watch: FolderWatch | null = null;
  readonly #scanner: WorktreeScanner;
  readonly #path: string;
  readonly #skip = new Set<string>();
  #worktree: Worktree | null = null;
  #commit = '';
  #tracked: ReadonlySet<string> = new Set();
  /** Tracked paths by commit: of the incumbent and of the latest attempt, between which the loop goes to and fro. */
  #trackedOf = new Map<string, ReadonlySet<string>>();
  /** The files as the current commit has them. */
  #pristine: Files = new Map();
  #state: WorktreeState = 'unknown';
  /** The commit made last, where its parent's files can be had back in the same way. */
  #plain: PlainCommit | null = null;
  #conversions: Conversions | null = null;
  /** The edit that was judged last, and what lay there. */
  #edited: { readonly edit: Edit; readonly scan: Scan } | null = null;
  #isSetUp = false;
  /** Files nobody may edit, as the sitting's first checkout had them. */
  #first: Files | null = null;

  readonly #signal: AbortSignal;
  readonly #setUp: SetUp | null;

  /**
   * @param path absolute, without symbolic links
   * @param signal the sitting's: looking, cleaning and setting up reject with an AbortError when it is aborted
   * @param setUp called with a fresh checkout, before anything runs in it
   */
  constructor(
    repository: Repository,
    path: string,
    study: Pick<Study, 'contract' | 'preserved' | 'outputs' | 'writtenFolders' | 'baseCommit'>,
    signal: AbortSignal,
    setUp: SetUp | null,
  ) {
    const { editable, locked, instructions } = study.contract;
    this.#repository = repository;
    this.#path = path;
    this.#editable = editable;
    this.#isEditable = matchEditable(editable);
    this.#isNamedLocked = locked && matchPaths(locked);
    this.#instructions = instructions;
    this.#baseCommit = study.baseCommit;
    this.#outputs = new Set(study.outputs);
    this.#writtenFolders = study.writtenFolders && new Set(study.writtenFolders);
    this.#scanner = new WorktreeScanner(path, {
      isEditable: this.#isEditable,
      isNamedLocked: file => this.#isNamedLocked?.(file) === true,
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

  get path(): string {
    return this.#path;
  }

  /** Exempts untracked paths from looking and cleaning. */
  keep(preserved: readonly string[]): void {
    for (const path of preserved) this.#skip.add(path);
  }

  /** What {@link keep} exempts. */
  preservedPaths(): readonly string[] {
    return [...this.#skip];
  }

  /** What the set-up command left is not what it left any more: it is removed, for the next checkout to set up again. */
  async discardSetUp(): Promise<void> {
    for (const path of this.#skip) await removeBelow(this.#path, path, this.#signal);
    this.#skip.clear();
    this.#isSetUp = false;
    this.#state = 'unknown';
  }

  /** Somebody else is about to write in the worktree. */
  markDirty(): void {
    this.#state = 'unknown';
  }

  /**
   * Makes the worktree exactly the commit's: git's record mended, tracked files reset, everything else but the
   * preserved removed. A worktree that had to be made anew is set up first.
   */
  async checkout(commit: string): Promise<void> {
    const { worktree, isNew } = await openWorktree(this.#repository, this.#path, commit, this.#signal);
    this.#worktree = worktree;
    if (!isNew && this.#state === 'exact' && this.#commit === commit) return;
    // The first checkout of a sitting owes nothing to what an earlier one left.
    if (!this.#isSetUp) await forgetIndex(worktree);
    if (this.#setUp && (isNew || !this.#isSetUp)) {
      // It runs as the user, so it finds the commit the user agreed to, and nothing that an attempt or its training left.
      await this.#layOut(worktree, this.#baseCommit);
      await this.#clean();
      await this.#setUp(this, isNew);
    }
    if (isNew || !(await this.#goBack(commit))) await this.#layOut(worktree, commit);
    this.#isSetUp = true;
    this.#pristine = await this.#clean();
    if (!this.#agreesWithFirst()) {
      // Something kept git from seeing a change. Written anew, the files can only be the commit's.
      await forgetIndex(worktree);
      await resetWorktree(worktree, commit, this.#signal);
      this.#pristine = await this.#clean();
      if (!this.#agreesWithFirst()) throw new Error('the worktree cannot be made what the commit says');
    }
    this.#state = 'exact';
  }

  /**
   * Makes the tracked files the commit's without looking at all of them: they are already, or those of a plain edit of it. False where they
   * must be laid out.
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

  /** Makes the tracked files the commit's. */
  async #layOut(worktree: Worktree, commit: string): Promise<void> {
    await resetWorktree(worktree, commit, this.#signal);
    this.#remember(commit, this.#trackedOf.get(commit) ?? (await this.#listTracked(commit)));
  }

  /** Whether the files nobody may edit are what they were at the sitting's first checkout. */
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

  /** What the set-up command made: untracked paths, folders in one piece, and submodules it filled. */
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

  /** Plain files that a training must not change, as the commit has them. */
  lockedFiles(): readonly string[] {
    return [...this.#pristine]
      .filter(([path, { kind }]) => kind === 'file' && this.isLocked(path) && !path.includes('\0'))
      .map(([path]) => path)
      .sort();
  }

  /**
   * What a training finds read-only. The user's own code finds single files only, for it shows where it writes.
   * @param writes patterns of what the contract lets a training write all the same
   */
  seals(writes: readonly string[]): Seals {
    return planSeals({
      locked: this.lockedFiles(),
      unlocked: [...this.#tracked].filter(path => !this.isLocked(path)),
      writtenFolders: this.#isUsersOwn() || !this.#writtenFolders ? null : [...this.#writtenFolders],
      mayBeWritten: mayMatchBelow([...this.#editable, ...writes]),
    });
  }

  /** Whether what is checked out is what the user began with. */
  #isUsersOwn(): boolean {
    return this.#commit === this.#baseCommit;
  }

  /** Whether a training must not change it. */
  isLocked(path: string): boolean {
    if (this.#isNamedLocked) return this.#isNamedLocked(path);
    return this.#tracked.has(path) && !this.#isEditable(path) && !this.#mayBeWritten(path);
  }

  /**
   * Whether what is checked out may write a tracked file; the next checkout restores it. The user's own code may write all but
   * code and configuration, for nobody knows yet what its outputs are; what a proposer wrote may write outputs only.
   */
  #mayBeWritten(path: string): boolean {
    const was = this.#pristine.get(path);
    if (was?.kind !== 'file' || was.executable || isCodeName(path) || path === this.#instructions)
      return false;
    return this.#isUsersOwn() || this.#outputs.has(path) || isOutputName(path);
  }

  /** What the baseline's runs were seen to write; see {@link Study}. */
  written(): Pick<Study, 'outputs' | 'writtenFolders'> {
    return { outputs: [...this.#outputs], writtenFolders: this.#writtenFolders && [...this.#writtenFolders] };
  }

  /** To be called before a run: of the user's own code it is remembered which folders it may write in, see {@link FolderWatch}. */
  async watchFolders(): Promise<void> {
    this.#state = 'unknown';
    this.#watch = this.#isUsersOwn() ? await FolderWatch.begin(this.#path, this.#tracked) : null;
  }

  digest(): string {
    return digestEditable(this.#pristine, this.#isEditable);
  }

  sourceLines(): number {
    return countEditableLines(this.#pristine);
  }

  /**
   * Judges what was changed since `checkout` (or, for a repair, since the crashed attempt). Only regular editable
   * files may differ; new files git ignores are not part of an edit and are removed before the training.
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
   * Commits the edit on top of `parent` and leaves the worktree exactly as committed. Returns the commit, or null
   * where git's filters leave no difference.
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

  /** What was seen when the edit was judged; null where something has to be removed. */
  #filesOf({ digest }: AcceptableEdit): Files | null {
    const { edit, scan } = this.#edited ?? {};
    return edit?.kind === 'edit' && edit.digest === digest && scan?.hasLeftovers === false
      ? scan.files
      : null;
  }

  /** What is tracked once the paths are committed as they are on disk. */
  async #trackedWith(paths: readonly string[]): Promise<ReadonlySet<string>> {
    const tracked = new Set(this.#tracked);
    for (const path of paths) {
      const isThere = await lstat(join(this.#path, path)).catch(() => null);
      if (isThere) tracked.add(path);
      else tracked.delete(path);
    }
    return tracked;
  }

  /**
   * Locked files that are not what they were before the training. What else the user's own code changed is an output from now
   * on, see {@link written}.
   */
  async findTouchedLocks(): Promise<readonly string[]> {
    this.#state = 'unknown';
    // Whatever the training did to git's record of the worktree ends here.
    await mendWorktree(this.worktree, this.#commit);
    const { files, hasLeftovers } = await this.#look();
    const changed = changedPaths(this.#pristine, files);
    if (areUntouched(this.#pristine, files)) this.#state = hasLeftovers ? 'littered' : 'exact';
    if (this.#watch) {
      this.#writtenFolders ??= new Set();
      for (const folder of await this.#watch.listWritten()) this.#writtenFolders.add(folder);
      this.#watch = null;
    }
    if (this.#isUsersOwn() && this.#isNamedLocked === null) {
      for (const path of changed)
        if (this.#mayBeWritten(path) && !this.#isEditable(path)) this.#outputs.add(path);
    }
    return changed.filter(path => this.isLocked(path));
  }

  /** What lies there now, to be compared with the pristine files. */
  #look(onLeftovers?: ScanOptions['onLeftovers']): Promise<Scan> {
    const options = { signal: this.#signal, expected: this.#pristine, onLeftovers };
    return this.#scanner.scan({ tracked: this.#tracked, skip: this.#skip }, options);
  }

  /** Removes what is neither tracked nor preserved, and returns what stays. */
  async #clean(): Promise<Files> {
    const signal = this.#signal;
    const layout = { tracked: this.#tracked, skip: this.#skip };
    // What is removed while a folder is read can hide another entry of it on some file systems.
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
