import { cp, lstat, opendir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { listed } from '../../shared/listed.ts';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';
import type { Mount } from './jail.ts';
import { findSecret, type SecretPlaces } from './secret-places.ts';

/** Settings are small texts; anything larger is a program that they name. */
const MAX_COPIED_FILES = 1_000;
const MAX_COPIED_BYTES = 8 * 1024 ** 2;
/** How many files in a link's target are examined. */
const MAX_SURVEYED_FILES = 20_000;

/** An entry among an agent's settings that it does not get. */
export type LeftOut = {
  readonly path: string;
  /** Where the entry leads. */
  readonly to: string;
  /** What is in it, in words that follow "which". */
  readonly why: string;
};

/** Further ones are only counted. */
const MAX_TOLD = 3;

/** One line for the user; null if nothing was left out. */
export function describeLeftOut(title: string, leftOut: readonly LeftOut[]): string | null {
  if (leftOut.length === 0) return null;
  const told = leftOut.map(
    ({ path, to, why }) => `${path} (${path === to ? '' : `a link to ${to}, `}which ${why})`,
  );
  return `In the sandbox ${title} cannot see ${listed(told, MAX_TOLD)}.`;
}

/** Deep enough for a home folder, a folder of home folders, and a dotfiles folder with a folder per program. */
const LEVELS = 2;

/**
 * Copies an agent's settings. Follows links, because many people keep these files in a dotfiles folder; but not to
 * places with keys, nor to a folder that contains such a place.
 */
export class SettingsCopy {
  readonly #secrets: SecretPlaces;
  readonly #leftOut = new Map<string, LeftOut>();

  constructor(secrets: SecretPlaces) {
    this.#secrets = secrets;
  }

  /** In the order of discovery. */
  get leftOut(): readonly LeftOut[] {
    return [...this.#leftOut.values()];
  }

  /** Copies small files. For large ones, returns how to mount them, else null. */
  async copy(where: string, to: string): Promise<Mount | null> {
    if (!(await this.mayShow(where, where))) return null;
    const what = await real(where);
    const mayShow = (path: string) => this.mayShow(path, where);
    const { isSmall, isClean } = await survey(what, mayShow);
    if (!isSmall && (isClean || what === where)) return { what, where, isWritable: false };
    if (!isSmall) {
      // If it were mounted whole, it would show entries that must be left out.
      this.#leftOut.set(where, { path: where, to: what, why: 'is too large to copy without that' });
      return null;
    }
    const filter = async (path: string) => (await isPlain(path)) && (await mayShow(path));
    await cp(what, to, { recursive: true, dereference: true, filter });
    return null;
  }

  /** @param where the entry of the settings that contains the path; everything directly in it belongs to the agent */
  async mayShow(path: string, where: string): Promise<boolean> {
    const to = await real(path);
    if (isBelow(to, join(await real(dirname(where)), basename(where)))) return true;
    const isLink = (await lstat(path).catch(() => null))?.isSymbolicLink() ?? false;
    const why = await findSecret(to, this.#secrets, isLink ? LEVELS : 0);
    if (why !== null) this.#leftOut.set(path, { path, to, why });
    return why === null;
  }
}

/** Whether a file or folder is small enough to copy, and whether all of it may be shown, as far as that is known. */
async function survey(
  path: string,
  mayShow: (path: string) => Promise<boolean>,
): Promise<{ readonly isSmall: boolean; readonly isClean: boolean }> {
  let [files, bytes, isClean] = [0, 0, true];
  const visit = async (place: string): Promise<void> => {
    if (files > MAX_SURVEYED_FILES) return;
    if (!(await mayShow(place))) {
      isClean = false;
      return;
    }
    const found = await stat(place).catch(() => null);
    files += 1;
    bytes += found?.size ?? 0;
    if (!found?.isDirectory()) return;
    for await (const { name } of await opendir(place)) await visit(join(place, name));
  };
  await visit(path);
  return {
    isSmall: files <= MAX_COPIED_FILES && bytes <= MAX_COPIED_BYTES,
    isClean: isClean && files <= MAX_SURVEYED_FILES,
  };
}

/** Sockets and pipes cannot be copied. */
async function isPlain(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && (found.isFile() || found.isDirectory());
}
