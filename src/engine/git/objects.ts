import { rm, writeFile } from 'node:fs/promises';
import type { Repository } from './repository.ts';
import { StayingGit } from './staying-git.ts';

/** Objects of one repository, read and written by gits that stay. Each method returns null where git did not do it. */
export type Objects = {
  /** The object's id and bytes. @param name without a newline */
  read(name: string): Promise<{ readonly id: string; readonly content: Buffer } | null>;
  /** Makes the file's bytes, which no filter changes, a blob, as durable as one of a commit. @param path absolute, without a newline */
  writeBlob(path: string): Promise<string | null>;
  /** @param path of a file that may be written for it, and is removed */
  write(type: 'tree' | 'commit', content: Buffer, path: string): Promise<string | null>;
};

const objectsOf = new Map<string, Objects>();

export function openObjects({ gitDir }: Repository): Objects {
  const known = objectsOf.get(gitDir);
  if (known) return known;
  const start = (...args: readonly string[]) => new StayingGit(gitDir, ['--git-dir', gitDir, ...args]);
  const writerOf = (type: string) => start('hash-object', '-t', type, '-w', '--no-filters', '--stdin-paths');
  const reader = start('cat-file', '--batch');
  const writers = { blob: writerOf('blob'), tree: writerOf('tree'), commit: writerOf('commit') };
  const store = async (type: keyof typeof writers, path: string) => {
    const answer = await writers[type].ask(`${path}\n`, readId);
    return answer.kind === 'answer' ? answer.value : null;
  };
  const objects: Objects = {
    async read(name) {
      const answer = await reader.ask(`${name}\n`, readObject);
      return answer.kind === 'answer' ? answer.value.found : null;
    },
    writeBlob: path => store('blob', path),
    async write(type, content, path) {
      try {
        await writeFile(path, content);
        return await store(type, path);
      } finally {
        await rm(path, { force: true });
      }
    },
  };
  objectsOf.set(gitDir, objects);
  return objects;
}

function readId(printed: Buffer): string | null {
  return /^([0-9a-f]{40,64})\n/.exec(printed.toString('latin1'))?.[1] ?? null;
}

/** Source: git-cat-file(1), "BATCH OUTPUT". */
function readObject(
  printed: Buffer,
): { readonly found: { readonly id: string; readonly content: Buffer } | null } | null {
  const end = printed.indexOf('\n');
  if (end < 0) return null;
  const head = /^([0-9a-f]{40,64}) [a-z]+ (\d+)$/.exec(printed.toString('latin1', 0, end));
  if (!head) return { found: null };
  const [, id = '', bytes] = head;
  const start = end + 1;
  const stop = start + Number(bytes);
  return printed.length > stop ? { found: { id, content: printed.subarray(start, stop) } } : null;
}
