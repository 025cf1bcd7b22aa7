import { gitOf, type Repository } from './repository.ts';

/** What a commit changed on its parent. */
export type CommitEdit = {
  readonly files: readonly string[];
  /** Names that are assigned a literal on a line that went and on one that came. */
  readonly constants: readonly string[];
};

/** `NAME = literal`, indented or typed, as constants of a training are written in most languages. */
const ASSIGNMENT = /^[+-]\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?::\s*[A-Za-z_[\], .]+)?\s*=\s*[-+"'\d.TFn[({]/;
/** Of a file's head in a patch; quoted names are rare, and are kept as git quotes them. */
const FILE = /^\+\+\+ (?:b\/)?(.*?)\t?$/;
const OLD_FILE = /^--- (?:a\/)?(.*?)\t?$/;
/** Edits of code come to some kilobytes each. */
const MAX_BYTES = 64 * 1024 * 1024;
const COMMIT = /^[0-9a-f]{40,64}$/;

/**
 * The edits of many commits with one process, by commit. Commits that are not there, or have no parent, are left out.
 * Rejects with `git_failed` where they are larger than `maxBytes` together. Source: git-diff-tree(1), `--stdin`.
 */
export async function readEdits(
  repository: Repository,
  commits: readonly string[],
  maxBytes = MAX_BYTES,
): Promise<ReadonlyMap<string, CommitEdit>> {
  if (commits.length === 0) return new Map();
  const { stdout } = await gitOf(
    repository,
    [
      'diff-tree',
      '--stdin',
      '-r',
      '-p',
      '-U0',
      '--no-renames',
      '--no-ext-diff',
      '--no-textconv',
      '--no-color',
    ],
    // 128: git stops at a commit that is not there; what it told before that is good.
    { stdin: `${commits.join('\n')}\n`, accept: [0, 128], maxBytes },
  );
  return parseEdits(stdout.toString('utf8'));
}

/** @param text what `git diff-tree --stdin -p -U0` prints */
export function parseEdits(text: string): ReadonlyMap<string, CommitEdit> {
  const edits = new Map<string, CommitEdit>();
  for (const [commit, lines] of byCommit(text)) {
    const files = new Set<string>();
    const [gone, come] = [new Set<string>(), new Set<string>()];
    let isHead = true;
    for (const line of lines) {
      if (line.startsWith('diff ')) isHead = true;
      else if (line.startsWith('@@ ')) isHead = false;
      if (isHead) {
        const file = (FILE.exec(line) ?? OLD_FILE.exec(line))?.[1];
        if (file !== undefined && file !== '/dev/null') files.add(file);
        continue;
      }
      const name = ASSIGNMENT.exec(line)?.[1];
      if (name !== undefined) (line.startsWith('-') ? gone : come).add(name);
    }
    edits.set(commit, { files: [...files], constants: [...gone].filter(name => come.has(name)) });
  }
  return edits;
}

function byCommit(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (COMMIT.test(line)) {
      lines = [];
      found.set(line, lines);
    } else lines.push(line);
  }
  return found;
}
