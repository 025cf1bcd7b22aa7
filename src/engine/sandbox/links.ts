import { readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';

/** As many as the system follows itself. */
const MAX_LINKS = 40;

export type Link = {
  /** Where the link lies; the folders above it are no links. */
  readonly at: string;
  /** What it says, as it says it. */
  readonly target: string;
  /** Whether it stands for the whole path, and not for a folder on the way. */
  readonly isLast: boolean;
};

/** The links a path leads through, and where it ends; whether something is there is not looked at. */
export type Trace = { readonly links: readonly Link[]; readonly real: string };

/**
 * Follows a path as the system does, a name at a time, and tells each link it meets: bubblewrap mounts nothing on a link,
 * so in a sandbox the links have to be made anew and only what they lead to can be mounted.
 * @param path absolute
 * @param read for many paths of the same places: what is a link, and what it says, is asked once
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

/** Tells what a link says, null for anything else; each place is looked at once. */
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
