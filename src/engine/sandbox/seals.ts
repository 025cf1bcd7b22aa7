/** As long as it is unknown where the user's own code writes. */
export const MAX_SINGLE_SEALS = 50;
/** bubblewrap takes a third of a millisecond for one of 50 mounts, and four times as long for one of 500. */
export const MAX_SEALS = 200;

/** A mark that keeps an empty folder in git decides about nothing. */
const MARK = /(?:^|\/)\.(?:git)?keep$/;
/** One that ignores what a program puts there, neither. */
const FOLDER_MARK = /(?:^|\/)\.(?:gitkeep|keep|gitignore)$/;

/** What a training finds read-only in its worktree, as paths below it. */
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
  /** Tracked folders in which the user's own code made, renamed or deleted something; null until it has run. */
  readonly writtenFolders: readonly string[] | null;
  /** Whether something below a folder is editable, or named as what a training writes. */
  readonly mayBeWritten: (folder: string) => boolean;
};

/**
 * Seals each folder that holds nothing but locked files as one mount, where the user's own code leaves its entries alone.
 * What lies elsewhere is sealed file by file, the nearest to the top first, for what decides about a run lies there:
 * `prepare.py`, `pawl.toml`. Files over the bound are compared after the run, as all are. Pure.
 */
export function planSeals({ locked, unlocked, writtenFolders, mayBeWritten }: SealInput): Seals {
  if (writtenFolders === null) return { folders: [], files: topmost(locked, MAX_SINGLE_SEALS) };
  const written = new Set([
    ...foldersOf(unlocked),
    ...writtenFolders.flatMap(path => [path, ...foldersOf([path])]),
  ]);
  const whole = new Set<string>();
  // Outermost first: what lies in one that is sealed is sealed with it.
  for (const folder of foldersOf(locked.filter(path => !FOLDER_MARK.test(path)))) {
    if (!isIn(whole, folder) && !written.has(folder) && !mayBeWritten(folder)) whole.add(folder);
  }
  const single = topmost(
    locked.filter(path => !isIn(whole, path)),
    MAX_SEALS,
  );
  // The files that were sealed in the baseline's runs stay sealed, however many folders there are.
  const folders = topmost([...whole], MAX_SEALS - Math.min(single.length, MAX_SINGLE_SEALS));
  return { folders, files: single.slice(0, MAX_SEALS - folders.length) };
}

/** Folders that must not be moved away, or what is sealed in them would go with them; outermost first. */
export function heldFolders({ folders, files }: Seals): readonly string[] {
  return foldersOf([...folders, ...files.filter(path => !MARK.test(path))]);
}

/** Whether one of the folders holds a path. */
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

/** Every folder that one of the paths lies in, outermost first. */
export function foldersOf(paths: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) found.add(names.slice(0, depth).join('/'));
  }
  return [...found].sort((a, b) => a.length - b.length);
}
