import type { Repository } from './repository.ts';

/**
 * `ask`, with the last answers kept: the id of an object names the same content for ever, and the start of a git process holds up
 * everything else in the engine for as long as its memory takes to be copied. Names that are no ids are asked for every time.
 * @param most answers that are kept, of all repositories together
 * @param isWorth whether an answer is kept
 */
export function remember<T>(
  most: number,
  ask: (repository: Repository, commit: string, path: string) => Promise<T>,
  isWorth: (answer: T) => boolean = () => true,
): (repository: Repository, commit: string, path?: string) => Promise<T> {
  const known = new Map<string, T>();
  return async (repository, commit, path = '') => {
    const name = `${repository.gitDir}\0${commit}:${path}`;
    const old = known.get(name);
    if (old !== undefined) return old;
    const answer = await ask(repository, commit, path);
    if (/^[0-9a-f]{40,64}$/.test(commit) && isWorth(answer)) known.set(name, answer);
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size > most) known.delete(oldest);
    return answer;
  };
}
