import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StudyReader } from '../briefing/study-reader.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** Writes the commit's files into the folder and returns their digests. Files that are not editable become read-only. */
export async function makeCopy(
  reader: StudyReader,
  commit: string,
  to: string,
  isEditable: (path: string) => boolean,
): Promise<ReadonlyMap<string, string>> {
  const before = new Map<string, string>();
  await mkdir(to, { recursive: true });
  await reader.export(commit, to);
  for (const path of await reader.listFiles(commit)) {
    const target = join(to, path);
    if (!(await lstat(target).catch(() => null))?.isFile()) continue;
    before.set(path, digestOf(await readFile(target)));
    if (!isEditable(path)) await chmod(target, 0o444);
  }
  return before;
}

/** The differences from before: the editable files with their text, and forbidden changes, as sentences. */
export async function compareCopy(
  copy: string,
  before: ReadonlyMap<string, string>,
  isEditable: (path: string) => boolean,
): Promise<{ readonly files: ReadonlyMap<string, string>; readonly faults: readonly string[] }> {
  const files = new Map<string, string>();
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(copy.length + 1);
    if (entry.isDirectory()) continue;
    seen.add(path);
    const old = before.get(path);
    // Agents leave folders of their own, which are ignored.
    if (old === undefined && /^\.[a-z]+\//.test(path)) continue;
    if (!entry.isFile()) {
      faults.push(`${path} is not a plain file`);
      continue;
    }
    const { size } = await lstat(join(copy, path));
    if (size > MAX_FILE_BYTES) {
      // Large files that existed before are data, and are not read twice.
      if (old === undefined || isEditable(path)) faults.push(`${path} is too large`);
      else if (digestOf(await readFile(join(copy, path))) !== old) faults.push(`${path} is not editable`);
      continue;
    }
    const now = await readFile(join(copy, path));
    if (old === digestOf(now)) continue;
    const text = now.toString('utf8');
    if (!isEditable(path)) faults.push(`${path} is not editable`);
    else if (!Buffer.from(text, 'utf8').equals(now)) faults.push(`${path} is not UTF-8`);
    else files.set(path, text);
  }
  for (const path of before.keys())
    if (!seen.has(path)) faults.push(`${path} was removed, which a proposal cannot do`);
  return { files, faults };
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
