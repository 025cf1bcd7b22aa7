import { readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';

/** As many as the system itself follows. */
const MAX_LINKS = 40;

type Link = {
  /** The link's path; the folders above it are not links. */
  readonly at: string;
  /** The link's content, unchanged. */
  readonly target: string;
  /** Whether it is the whole path, not just a folder on the way. */
  readonly isLast: boolean;
};

/** The links on a path, and its target, whether that exists or not. */
export type Trace = { readonly links: readonly Link[]; readonly real: string };

/**
 * Follows a path name by name, as the system does, and lists the links on the way. bubblewrap cannot mount on a link,
 * so a sandbox needs its own links, and only their targets are mounted.
 * @param path absolute
 * @param read reads links, each only once, when many paths share places
 */
export async function trace(path: string, read = linkReader()): Promise<Trace> {
  const links: Link[] = [];
  const ahead = namesOf(path);
  let at = '/';
  while (ahead.length > 0) {
    const name = ahead.shift() ?? '';
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    const target = links.length < MAX_LINKS ? await read(next) : null;
    if (target === null) {
      at = next;
      continue;
    }
    links.push({ at: next, target, isLast: ahead.length === 0 });
    if (isAbsolute(target)) at = '/';
    ahead.unshift(...namesOf(target));
  }
  return { links, real: at };
}

/** Returns a function that reads a link, or null for anything else; each path is read once. */
export function linkReader(): (path: string) => Promise<string | null> {
  const known = new Map<string, Promise<string | null>>();
  return path => {
    const found = known.get(path) ?? readlink(path).catch(() => null);
    known.set(path, found);
    return found;
  };
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.');
}
