import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import type { ConstantsPage } from '../../shared/table-rows.ts';
import { matchProposable } from '../contract/editable.ts';
import { readBlobs } from '../git/read-blobs.ts';
import { listTree, openRepository, type Repository } from '../git/repository.ts';
import { readInWorker } from '../proposers/search/choose-in-worker.ts';
import { givenBy } from '../proposers/search/given.ts';
import { MAX_SOURCE_BYTES } from '../proposers/search/search-proposer.ts';
import type { Ledger } from '../store/ledger.ts';

/** Only this many editable files are read. */
const MAX_FILES = 20;
/** How many commits' constants are remembered; a commit's content never changes. */
const KEPT = 4_000;

/** The text of each constant of a commit, by its name. */
type Values = ReadonlyMap<string, string>;

/** Where a study's constants are read. */
type Place = {
  readonly repository: Repository;
  readonly paths: readonly string[];
  readonly given: readonly string[];
  /** A constant's name, preceded by its file where another file has a constant of the same name. */
  readonly nameOf: (key: string) => string;
};

/** The constants of experiments, read from their commits. The files are parsed in a thread. */
export class ConstantsReader {
  readonly #ledger: Ledger;
  readonly #kept: number;
  /** By study and commit. */
  readonly #known = new Map<string, Values>();
  readonly #places = new Map<string, Promise<Place | null>>();

  /** @param kept how many commits' constants are kept */
  constructor(ledger: Ledger, kept = KEPT) {
    this.#ledger = ledger;
    this.#kept = kept;
  }

  /** Leaves out experiments without a commit, and all of them if the repository is gone. */
  async read(study: Study, ns: readonly number[]): Promise<ConstantsPage> {
    const found = await this.values(study, ns);
    const names = [...new Set([...found.values()].flatMap(values => [...values.keys()]))];
    const rows = [...found].map(([n, values]) => ({ n, texts: names.map(name => values.get(name) ?? null) }));
    return { names, rows };
  }

  /** The same, by experiment number, in order. */
  async values(study: Study, ns: readonly number[]): Promise<ReadonlyMap<number, Values>> {
    const place = study.state === 'imported' ? null : await this.#placeOf(study);
    const found = new Map<number, Values>();
    if (!place) return found;
    const commits = ns.flatMap(n => {
      const commit = n === 0 ? study.baseCommit : this.#ledger.cells.get(study.id, n)?.commit;
      return commit ? [{ n, commit }] : [];
    });
    // Copied now: this call or a concurrent one may clear the memory below.
    const known = new Map(
      commits.map(({ commit }) => [commit, this.#known.get(`${study.id} ${commit}`)] as const),
    );
    const missing = [...known].flatMap(([commit, values]) => (values ? [] : [commit]));
    if (this.#known.size + missing.length > this.#kept) this.#known.clear();
    const read = await readCommits(place, missing);
    for (const [commit, values] of read) this.#known.set(`${study.id} ${commit}`, values);
    for (const { n, commit } of commits) {
      const values = known.get(commit) ?? read.get(commit);
      if (values) found.set(n, values);
    }
    return found;
  }

  #placeOf(study: Study): Promise<Place | null> {
    const key = `${study.id} ${study.repositoryPath}`;
    const known = this.#places.get(key);
    if (known) return known;
    const coming = findPlace(study).catch(error => {
      this.#places.delete(key);
      // The study can be read without its repository.
      if (error instanceof PawlError) return null;
      throw error;
    });
    this.#places.set(key, coming);
    return coming;
  }
}

async function findPlace(study: Study): Promise<Place> {
  const repository = await openRepository(study.repositoryPath);
  const isProposable = matchProposable(study.contract);
  const paths = (await listTree(repository, study.baseCommit))
    .filter(({ mode, path }) => mode.startsWith('100') && isProposable(path))
    .map(({ path }) => path)
    .slice(0, MAX_FILES);
  const place = { repository, paths, given: [...givenBy(study.contract)] };
  const base: Values = (await readKeys(place, [study.baseCommit]))[0] ?? new Map();
  const counts = new Map<string, number>();
  for (const key of base.keys()) counts.set(plainName(key), (counts.get(plainName(key)) ?? 0) + 1);
  const isPlain = (key: string) => paths.length === 1 || (base.has(key) && counts.get(plainName(key)) === 1);
  return { ...place, nameOf: key => (isPlain(key) ? plainName(key) : key.replace('\0', ':')) };
}

function plainName(key: string): string {
  return key.slice(key.indexOf('\0') + 1);
}

async function readCommits(place: Place, commits: readonly string[]): Promise<ReadonlyMap<string, Values>> {
  const read = await readKeys(place, commits);
  return new Map(
    commits.flatMap((commit, index) => {
      const values = read[index];
      if (!values) return [];
      return [[commit, new Map([...values].map(([key, text]) => [place.nameOf(key), text]))] as const];
    }),
  );
}

/** The texts of each commit's constants by key; null where none of the files could be read. */
async function readKeys(
  { repository, paths, given }: Omit<Place, 'nameOf'>,
  commits: readonly string[],
): Promise<readonly (Values | null)[]> {
  if (commits.length === 0 || paths.length === 0) return commits.map(() => null);
  const blobs = await readBlobs(
    repository,
    commits.flatMap(commit => paths.map(path => ({ commit, path }))),
    MAX_SOURCE_BYTES,
  );
  const texts = commits.map((_, index) =>
    blobs
      .slice(index * paths.length, (index + 1) * paths.length)
      .map(blob => blob?.toString('latin1') ?? null),
  );
  const read = await readInWorker({ paths, commits: texts, given });
  return read.map((values, index) => (texts[index]?.some(text => text !== null) ? values : null));
}
