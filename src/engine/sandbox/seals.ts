/** The limit while it is unknown where the user's own code writes. */
export const MAX_SINGLE_SEALS = 50;
/** bubblewrap takes a third of a millisecond for one of 50 mounts, and four times as long for one of 500. */
export const MAX_SEALS = 200;

/** A file that only keeps an empty folder in git has no effect. */
const MARK = /(?:^|\/)\.(?:git)?keep$/;
/** A file that ignores a program's output has none either. */
const FOLDER_MARK = /(?:^|\/)\.(?:gitkeep|keep|gitignore)$/;

/** What is read-only for a training in its worktree, as relative paths. */
export type Seals = {
  /** With everything in them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
};

export type SealInput = {
  /** Tracked plain files that a training must not change. */
  readonly locked: readonly string[];
  /** Other tracked paths that it may change. */
  readonly unlocked: readonly string[];
  /** Tracked folders in which the user's own code created, renamed or deleted something; null until it has run. */
  readonly writtenFolders: readonly string[] | null;
  /** Whether something in a folder is editable, or named as a training's output. */
  readonly mayBeWritten: (folder: string) => boolean;
};

/**
 * Seals each folder that contains only locked files as one mount, if the user's own code leaves its entries alone.
 * Other locked files are sealed one by one, those nearest to the top first, because the files that matter most are
 * there: `prepare.py`, `pawl.toml`. Files beyond the limit are compared after the run, as all files are. Pure.
 */
export function planSeals({ locked, unlocked, writtenFolders, mayBeWritten }: SealInput): Seals {
  if (writtenFolders === null) return { folders: [], files: topmost(locked, MAX_SINGLE_SEALS) };
  const written = new Set([
    ...foldersOf(unlocked),
    ...writtenFolders.flatMap(path => [path, ...foldersOf([path])]),
  ]);
  const whole = new Set<string>();
  // Outermost first: a sealed folder includes everything in it.
  for (const folder of foldersOf(locked.filter(path => !FOLDER_MARK.test(path)))) {
    if (!isIn(whole, folder) && !written.has(folder) && !mayBeWritten(folder)) whole.add(folder);
  }
  const single = topmost(
    locked.filter(path => !isIn(whole, path)),
    MAX_SEALS,
  );
  // Files that were sealed in the baseline's runs stay sealed, however many folders there are.
  const folders = topmost([...whole], MAX_SEALS - Math.min(single.length, MAX_SINGLE_SEALS));
  return { folders, files: single.slice(0, MAX_SEALS - folders.length) };
}

/** Folders that must not be moved, because sealed paths in them would move along; outermost first. */
export function heldFolders({ folders, files }: Seals): readonly string[] {
  return foldersOf([...folders, ...files.filter(path => !MARK.test(path))]);
}

/** Whether one of the folders contains a path. */
function isIn(folders: ReadonlySet<string>, path: string): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return false;
}

export function topmost(paths: readonly string[], most: number): readonly string[] {
  const depth = (path: string) => path.split('/').length;
  return [...paths].sort((a, b) => depth(a) - depth(b)).slice(0, most);
}

/** Every folder that contains one of the paths, outermost first. */
export function foldersOf(paths: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) found.add(names.slice(0, depth).join('/'));
  }
  return [...found].sort((a, b) => a.length - b.length);
}
