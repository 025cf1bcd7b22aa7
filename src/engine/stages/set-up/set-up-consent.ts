import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { SetUpView } from '../../../shared/contract/set-up.ts';
import { PawlError } from '../../../shared/errors.ts';
import { counted } from '../../../shared/numbers.ts';
import { matchEditable } from '../../contract/editable.ts';
import { readContract } from '../../contract/load-contract.ts';
import { blobBytes, gitOf, type Repository, readBlob, spellPath } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';
import { readSetUpWords } from './set-up-words.ts';

/**
 * The set-up command runs outside the sandbox, with all of the user's rights, and it comes from the repository. So
 * the user sees it word for word, with the files it names, and agrees once to this content: the whole commit except
 * what every experiment changes. Files that those files use in turn are not shown.
 */

/** The ledger's name for the content that the user agreed to. */
const SETTING = 'set-up';
/** How much of each file is shown; larger files are not shown at all. All of it is in the digest. */
const SHOWN_BYTES = 64 * 1024;
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** How many files are shown; of the others only the names. All of them are in the digest. */
const MAX_FILES = 20;
/** As in Linux: more links than this on the way to a file form a circle. */
const MAX_LINKS = 40;

export type SetUpText = Omit<SetUpView, 'isAgreed'>;

type ShownFile = SetUpView['files'][number];
type Entry = { readonly path: string; readonly isLink: boolean; readonly record: Buffer };

/** A commit's set-up command, and a digest of the command and of everything that can change what it does. */
export async function readSetUp(repository: Repository, commit: string, command: string): Promise<SetUpText> {
  const entries = await listEntries(repository, commit);
  const tree = new Tree(repository, commit, entries);
  const paths = new Set<string>();
  for (const place of readSetUpWords(command)) for (const path of await tree.resolve(place)) paths.add(path);
  const files: ShownFile[] = [];
  for (const path of [...paths].slice(0, MAX_FILES)) files.push(await tree.show(path));
  const others = [...paths].slice(MAX_FILES);
  if (others.length > 0) {
    files.push({
      path: `and ${counted(others.length, 'more file')}`,
      text: `${others.join('\n')}\n`,
      isCut: true,
    });
  }
  const isEditable = await readEditable(repository, commit);
  // For instance `data.py`, or `data` in `import tools.data`.
  const said = new Set(
    files.flatMap(({ text }) =>
      [/[\p{L}\p{N}_.-]+/gu, /[\p{L}\p{N}_]+/gu].flatMap(word => text.match(word) ?? []),
    ),
  );
  // A file that every experiment changes does not count, unless the set-up names it, or may name it.
  const isCut = files.some(file => file.isCut);
  const isSpokenOf = (path: string) =>
    isCut || paths.has(path) || said.has(posix.basename(path)) || said.has(posix.parse(path).name);
  const hash = createHash('sha256').update(`${command}\0`);
  for (const { path, record } of entries)
    if (!isEditable(path) || isSpokenOf(path)) hash.update(record).update('\0');
  return { command, files, digest: hash.digest('hex') };
}

/** What a commit's own contract lets experiments change; empty if it has none or leaves that open. */
async function readEditable(repository: Repository, commit: string): Promise<(path: string) => boolean> {
  try {
    const { draft } = await readContract(repository, commit);
    return draft.editable === null ? () => false : matchEditable(draft.editable);
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    return () => false;
  }
}

/** The files of a commit; a record consists of mode, object name and path. */
async function listEntries(repository: Repository, commit: string): Promise<readonly Entry[]> {
  const { stdout } = await gitOf(repository, ['ls-tree', '-r', '-z', '--full-tree', commit]);
  const entries: Entry[] = [];
  for (let start = 0; start < stdout.length; ) {
    const end = stdout.indexOf(0, start);
    const record = stdout.subarray(start, end);
    const path = spellPath(record.subarray(record.indexOf('\t') + 1));
    entries.push({ path, isLink: record.toString('latin1', 0, 6) === '120000', record });
    start = end + 1;
  }
  return entries;
}

/** The files of a commit, resolved as a program in its checkout would resolve them. */
class Tree {
  readonly #repository: Repository;
  readonly #commit: string;
  readonly #files: ReadonlySet<string>;
  /** The target of each link, read when it is needed. */
  readonly #links = new Map<string, string | null>();

  constructor(repository: Repository, commit: string, entries: readonly Entry[]) {
    this.#repository = repository;
    this.#commit = commit;
    this.#files = new Set(entries.map(({ path }) => path));
    for (const { path, isLink } of entries) if (isLink) this.#links.set(path, null);
  }

  /** The links on the way to a path and the file at its end; empty if that is not a file of the commit. */
  async resolve(path: string): Promise<readonly string[]> {
    const found: string[] = [];
    let rest = posix.normalize(path);
    while (found.length < MAX_LINKS) {
      const link = this.#firstLink(rest);
      if (link === null) return this.#files.has(rest) ? [...found, rest] : [];
      found.push(link);
      const target = await this.#targetOf(link);
      const next = posix.join(posix.dirname(link), target, rest.slice(link.length));
      // A link that leads out of the commit is shown as a link.
      if (target.startsWith('/') || next.startsWith('..')) return found;
      rest = next;
    }
    return found;
  }

  async show(path: string): Promise<ShownFile> {
    if (this.#links.has(path))
      return { path, text: `a link to ${await this.#targetOf(path)}\n`, isCut: false };
    const size = await blobBytes(this.#repository, this.#commit, path);
    if (size === null || size > MAX_READ_BYTES) return { path, text: '', isCut: true };
    const bytes = (await readBlob(this.#repository, this.#commit, path)) ?? Buffer.alloc(0);
    return { path, text: bytes.toString('utf8', 0, SHOWN_BYTES), isCut: bytes.length > SHOWN_BYTES };
  }

  #firstLink(path: string): string | null {
    if (this.#links.size === 0) return null;
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1))
      if (this.#links.has(path.slice(0, end))) return path.slice(0, end);
    return this.#links.has(path) ? path : null;
  }

  async #targetOf(link: string): Promise<string> {
    const known = this.#links.get(link);
    if (known) return known;
    const target = (await readBlob(this.#repository, this.#commit, link))?.toString('utf8') ?? '';
    this.#links.set(link, target);
    return target;
  }
}

export function hasAgreedToSetUp(ledger: Ledger, digest: string): boolean {
  return ledger.settings.get(`${SETTING} ${digest}`) === true;
}

/** Call it inside `ledger.write`. */
export function agreeToSetUp(ledger: Ledger, digest: string): void {
  ledger.settings.set(`${SETTING} ${digest}`, true);
}

/** For a study whose set-up command the user has not agreed to. */
export function setUpUnagreed({ command, files }: SetUpText): PawlError {
  const what = files.length > 0 ? `, which reads ${files.map(({ path }) => path).join(', ')}` : '';
  return new PawlError(
    'setup_unagreed',
    `The set-up command would run as you, outside the sandbox: ${command}${what}. Read it and agree to it once: ` +
      '--trust-setup in the terminal, the checkbox in the window.',
  );
}
