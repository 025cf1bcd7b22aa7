import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import type { Contract } from '../../../shared/contract/contract.ts';
import { whereToWrite } from '../../../shared/contract/where-to-write.ts';
import type { Crash } from '../../../shared/study.ts';
import { adviseOnOutputs } from '../../contract/outputs.ts';
import { isBelow } from '../../paths.ts';
import type { Seals } from '../../sandbox/seals.ts';

const LINE_CHARACTERS = 400;
/** The C library's text for EROFS; Python, shells and coreutils print it with the path in quotes or before a colon. */
const READ_ONLY = /read-only file system/i;
const PATHS = /'([^']+)'|"([^"]+)"|\u2018([^\u2019]+)\u2019|(?:^|[\s(])([^\s'"\u2018():]+)(?=:|\s|$)/g;

/**
 * The crash of a training that tried to write a read-only path of its worktree, with the path and advice. Null if its
 * last lines show another reason.
 * @param worktree absolute, without symbolic links
 */
export function findSealedPath(
  crash: Crash,
  seals: Seals | undefined,
  worktree: string,
  contract: Contract,
): Crash | null {
  if (!seals || crash.class !== 'exception') return null;
  // The last message is why it ended; it may have tried other paths before.
  const line = [...crash.tail, crash.message].findLast(text => READ_ONLY.test(text));
  if (line === undefined) return null;
  for (const match of line.slice(0, LINE_CHARACTERS).matchAll(PATHS)) {
    const named = match.slice(1).find(Boolean) ?? '';
    const path = relative(worktree, isAbsolute(named) ? normalize(named) : join(worktree, named));
    if (seals.files.includes(path)) {
      return sealed(
        crash,
        `The training wrote to ${path}, which is locked.${adviseOnOutputs([path], contract)}`,
      );
    }
    const folder = seals.folders.find(sealedFolder => isBelow(path, sealedFolder));
    if (folder === undefined) continue;
    const place = path === folder ? folder : dirname(path);
    return sealed(
      crash,
      `The training wrote to ${path}, but ${folder} is read-only: it holds only locked files, and the baseline changed nothing in it. If a training may write there, write ${whereToWrite(contract.source, { key: `writes = [${JSON.stringify(place)}] under [sandbox]`, field: `${place} as a writable set-up file` })}.`,
    );
  }
  return null;
}

function sealed(crash: Crash, message: string): Crash {
  return { ...crash, class: 'sealed_path', message };
}
