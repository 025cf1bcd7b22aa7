/** What is larger is asked for again. */
export const MAX_REMEMBERED_BYTES = 256 * 1024;

/** The last answers of git about names that mean the same for ever. */
export class Remembered<T> {
  readonly #most: number;
  readonly #known = new Map<string, T>();

  constructor(most: number) {
    this.#most = most;
  }

  get(name: string): T | undefined {
    return this.#known.get(name);
  }

  set(name: string, answer: T): void {
    this.#known.set(name, answer);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > this.#most) this.#known.delete(oldest);
  }
}

/** Other names can mean something else tomorrow. */
export function isObjectId(name: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(name);
}

/**
 * `ask`, with the last answers kept: the id of an object names the same content for ever, and the start of a git process holds up
 * everything else in the engine for as long as its memory takes to be copied. Names that are no ids are asked for every time.
 * @param most answers that are kept, of all repositories together
 * @param isWorth whether an answer is kept
 */
export function remember<R extends { readonly gitDir: string }, T>(
  most: number,
  ask: (repository: R, commit: string, path: string) => Promise<T>,
  isWorth: (answer: T) => boolean = () => true,
): (repository: R, commit: string, path?: string) => Promise<T> {
  const known = new Remembered<T>(most);
  return async (repository, commit, path = '') => {
    const name = `${repository.gitDir}\0${commit}:${path}`;
    const old = known.get(name);
    if (old !== undefined) return old;
    const answer = await ask(repository, commit, path);
    if (isObjectId(commit) && isWorth(answer)) known.set(name, answer);
    return answer;
  };
}
