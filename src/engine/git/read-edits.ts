import { gitOf, type Repository } from './repository.ts';

/** What a commit changed. */
export type CommitEdit = {
  readonly files: readonly string[];
  /** Names assigned a literal both on a removed and on an added line. */
  readonly constants: readonly string[];
  /** The lines it added, each behind its file; those it removed if it added none. */
  readonly lines: ReadonlySet<string>;
};

/** `NAME = literal`, indented or typed, as constants of a training are written in most languages. */
const ASSIGNMENT = /^[+-]\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?::\s*[A-Za-z_[\], .]+)?\s*=\s*[-+"'\d.TFn[({]/;
/** A file's heading in a patch. Quoted names are rare, and stay quoted. */
const FILE = /^\+\+\+ (?:b\/)?(.*?)\t?$/;
const OLD_FILE = /^--- (?:a\/)?(.*?)\t?$/;
/** Edits of code are usually some kilobytes each. */
const MAX_BYTES = 64 * 1024 * 1024;
const COMMIT = /^[0-9a-f]{40,64}$/;

/**
 * Reads the edits of many commits with one process, by commit. Leaves out missing commits and those without a parent.
 * Rejects with `git_failed` if all of them together exceed `maxBytes`. Source: git-diff-tree(1), `--stdin`.
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
    // git stops with 128 at a missing commit; its output before that is valid.
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
    const [removed, added] = [new Set<string>(), new Set<string>()];
    let isHead = true;
    let path = '';
    for (const line of lines) {
      if (line.startsWith('diff ')) isHead = true;
      else if (line.startsWith('@@ ')) isHead = false;
      if (isHead) {
        const file = (FILE.exec(line) ?? OLD_FILE.exec(line))?.[1];
        if (file !== undefined && file !== '/dev/null') {
          files.add(file);
          path = file;
        }
        continue;
      }
      if (line.startsWith('+')) added.add(`${path}\n${line}`);
      else if (line.startsWith('-')) removed.add(`${path}\n${line}`);
      const name = ASSIGNMENT.exec(line)?.[1];
      if (name !== undefined) (line.startsWith('-') ? gone : come).add(name);
    }
    edits.set(commit, {
      files: [...files],
      constants: [...gone].filter(name => come.has(name)),
      lines: added.size > 0 ? added : removed,
    });
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
