import { posix } from 'node:path';
import type { Contract } from '../../../shared/contract/contract.ts';
import { findDataConstants, isDataFile } from './data-constants.ts';
import { DEFINED, EVERYTHING, fieldOf, type Given, givenBy, optionsOf } from './given.ts';
import { readComposed } from './hydra-configs.ts';
import { assignedNames } from './python-constants.ts';

/** A larger file sets no options. */
export const MAX_OVERRIDE_BYTES = 64 * 1024;
const MAX_FILES = 20;

/**
 * Files that take part in a training, in order, with the names each sets: a script, a makefile or one of CMake or Meson
 * by the options and definitions in it, a program by its variables, which it passes to the modules it imports, and a
 * file of settings after it (`config/small.py`, `--config small.yaml`) by its values. A module (`python -m`) gives
 * nothing. Below the folder of Hydra's configs, only those that are composed take part: `names` are their paths.
 */
export type Overrides = ReadonlyMap<string, Override>;
type Override = { readonly role: Role; readonly names: ReadonlySet<string> };
type Role = 'command' | 'program' | 'module' | 'settings' | 'configs';

/** @param read the text of a file of the repository; null if there is none, or it is too large */
export async function readOverrides(
  train: string,
  read: (path: string) => Promise<string | null>,
): Promise<Overrides> {
  const found = new Map<string, Override>();
  const add = async (files: readonly NamedFile[]): Promise<void> => {
    for (const { path, role } of files) {
      if (found.has(path) || found.size >= MAX_FILES) continue;
      const text = await read(path);
      if (text === null) continue;
      const isCommand = role === 'command';
      // In a makefile and a script for the shell, a `#` begins a comment.
      const code = isCommand ? text.replace(/\\\r?\n/g, ' ').replace(/(^|\s)#.*/gm, '$1') : text;
      found.set(path, { role, names: namesGivenBy(role, path, code) });
      const composed = /^(?:program|module)$/.test(role) ? await readComposed(path, text, train, read) : null;
      if (composed) found.set(composed.folder, { role: 'configs', names: composed.paths });
      if (mayHaveSubfolders(path)) await add(subfoldersOf(path, code));
      else if (isCommand) for (const line of code.split('\n')) await add(filesIn(line));
    }
  };
  await add(filesIn(train));
  return found;
}

/**
 * What is given to the constants of a file. A file of settings overrides what comes before it; it and a program, also
 * files that the command does not name.
 */
export function givenTo(
  file: string,
  contract: Pick<Contract, 'environment' | 'train'>,
  overrides: Overrides,
): Given {
  const isIdle = [...overrides].some(
    ([path, { role, names }]) =>
      role === 'configs' && file.startsWith(`${path}/`) && file.endsWith('.yaml') && !names.has(file),
  );
  if (isIdle) return EVERYTHING;
  const paths = [...overrides.keys()];
  const place = paths.indexOf(file);
  const others = [...overrides].filter(([path, { role }], at) => {
    if (role === 'configs') return false;
    if (role === 'program') return place < 0;
    return path !== file && (role === 'command' || at > place);
  });
  const names = others.flatMap(([, { role, names }]) =>
    role === 'program' ? [...names].map(fieldOf) : [...names],
  );
  return new Set([...givenBy(contract), ...names]);
}

function isScript(path: string): boolean {
  return /(?:\.(?:ba|z)?sh|\.mk|(?:^|\/)(?:GNUm|M|m)akefile)$/.test(path);
}

type NamedFile = { readonly path: string; readonly role: Role };

/** Those that CMake and Meson read in a folder. */
function mayHaveSubfolders(path: string): boolean {
  return /(?:^|\/)(?:CMakeLists\.txt|meson\.build)$/.test(path);
}

function subfoldersOf(path: string, code: string): readonly NamedFile[] {
  const folders = [...code.matchAll(/\b(?:add_subdirectory|subdir)\s*\(\s*['"]?([\w./-]+)/g)];
  return folders.map(([, folder = '']) => ({
    path: posix.join(posix.dirname(path), folder, posix.basename(path)),
    role: 'command',
  }));
}

/** The folder whose build file `cmake -S x`, `cmake ..` or `meson setup build x` reads; null for other commands. */
function builtFolder(words: readonly string[]): string | null {
  const at = words.findIndex(word => /^(?:cmake|meson)$/.test(word));
  if (at < 0 || words.includes('--build') || /^(?:compile|test|install)$/.test(words[at + 1] ?? ''))
    return null;
  if (words.includes('-S')) return words[words.indexOf('-S') + 1] ?? '';
  const plain = words.slice(at + 1).filter((word, place, all) => {
    return word !== '' && !word.startsWith('-') && !/^-[BDGC]$/.test(all[place - 1] ?? '');
  });
  if (words[at] === 'cmake') return plain[0] ?? '';
  return plain.filter(word => word !== 'setup')[1] ?? '';
}

/** The scripts, makefiles, programs and files of settings that a command names. The first Python file of each part is its program. */
function filesIn(command: string): readonly NamedFile[] {
  const files: NamedFile[] = [];
  let folder = '';
  for (const part of command.split(/&&|\|\|?|;/)) {
    const words = part.split(/[\s=]+/).map(word => word.replace(/^["'(]+|["')]+$/g, ''));
    const after = (word: string) => words[words.indexOf(word) + 1] ?? '';
    if (words.includes('cd')) folder = joined(folder, after('cd'));
    if (words.some(word => /^g?make$/.test(word))) {
      const place = words.includes('-C') ? joined(folder, after('-C')) : folder;
      const names = words.includes('-f') ? [after('-f')] : ['GNUmakefile', 'makefile', 'Makefile'];
      files.push(...names.map(name => ({ path: joined(place, name), role: 'command' as const })));
    }
    const built = builtFolder(part.split(/\s+/));
    if (built !== null) {
      const names = ['CMakeLists.txt', 'meson.build'];
      files.push(
        ...names.map(name => ({ path: joined(joined(folder, built), name), role: 'command' as const })),
      );
    }
    let hasProgram = words.includes('-m');
    if (hasProgram) {
      const module = `${after('-m').replaceAll('.', '/')}.py`;
      files.push({ path: joined(folder, module), role: 'module' });
    }
    for (const word of words) {
      const path = joined(folder, word);
      if (isScript(word)) files.push({ path, role: 'command' });
      else if (isDataFile(word)) files.push({ path, role: 'settings' });
      else if (word.endsWith('.py')) files.push({ path, role: hasProgram ? 'settings' : 'program' });
      hasProgram ||= word.endsWith('.py');
    }
  }
  return files;
}

function joined(folder: string, path: string): string {
  return (posix.isAbsolute(path) ? path : posix.join(folder, path)).replace(/\/+$/, '');
}

function namesGivenBy(role: Role, path: string, code: string): ReadonlySet<string> {
  if (role === 'command') return namesOfCommands(code);
  return role === 'module' ? new Set() : namesOfSettings(path, code);
}

function namesOfCommands(code: string): ReadonlySet<string> {
  const exported = [...code.matchAll(/^\s*export\s+(\w+)=/gm)].map(([, name = '']) => name);
  const defined = [...code.matchAll(DEFINED)].map(([, name = '']) => name);
  const ofCmake = [...code.matchAll(/compile_definitions\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(/\s+/).map(word => word.replace(/^"|=.*/g, '')),
  );
  return new Set([...exported, ...defined, ...ofCmake, ...optionsOf(code)]);
}

function namesOfSettings(path: string, text: string): ReadonlySet<string> {
  if (!isDataFile(path)) return new Set(assignedNames(text));
  return new Set(
    findDataConstants(path, text).flatMap(({ name }) => [name, name.slice(name.lastIndexOf('.') + 1)]),
  );
}
