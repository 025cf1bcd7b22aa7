import type { Contract } from '../../../shared/contract/contract.ts';
import { findDataConstants, isDataFile } from './data-constants.ts';
import { DEFINED, type Given, givenBy, optionsOf } from './given.ts';
import { assignedNames } from './python-constants.ts';

/** A larger file sets no options. */
export const MAX_OVERRIDE_BYTES = 64 * 1024;
const MAX_FILES = 20;

/**
 * Files besides the program that take part in a training, in order, with the names each sets: a script or makefile
 * by the options and definitions in it, a file of settings (`config/small.py`, `--config small.yaml`) by its values.
 */
export type Overrides = ReadonlyMap<string, Override>;
type Override = { readonly isCommand: boolean; readonly names: ReadonlySet<string> };

/** @param read the text of a file of the repository; null if there is none, or it is too large */
export async function readOverrides(
  train: string,
  read: (path: string) => Promise<string | null>,
): Promise<Overrides> {
  const found = new Map<string, Override>();
  const add = async (command: string): Promise<void> => {
    for (const path of filesIn(command)) {
      if (found.has(path) || found.size >= MAX_FILES) continue;
      const text = await read(path);
      if (text === null) continue;
      const isCommand = isScript(path);
      // In a makefile and a script for the shell, a `#` begins a comment.
      const code = isCommand ? text.replace(/\\\r?\n/g, ' ').replace(/(^|\s)#.*/gm, '$1') : text;
      found.set(path, { isCommand, names: isCommand ? namesOfCommands(code) : namesOfSettings(path, text) });
      if (isCommand) for (const line of code.split('\n')) await add(line);
    }
  };
  await add(train);
  return found;
}

/** What is given to the constants of a file. A file of settings overrides what comes before it, and files without a place. */
export function givenTo(
  file: string,
  contract: Pick<Contract, 'environment' | 'train'>,
  overrides: Overrides,
): Given {
  const paths = [...overrides.keys()];
  const place = paths.indexOf(file);
  const others = [...overrides].filter(
    ([path, { isCommand }], at) => path !== file && (isCommand || at > place),
  );
  return new Set([...givenBy(contract), ...others.flatMap(([, { names }]) => [...names])]);
}

function isScript(path: string): boolean {
  return /(?:\.(?:ba|z)?sh|\.mk|(?:^|\/)(?:GNUm|M|m)akefile)$/.test(path);
}

/** The scripts, makefiles and files of settings that a command names. The first Python file of each part is the program. */
function filesIn(command: string): readonly string[] {
  const files: string[] = [];
  let folder = '';
  for (const part of command.split(/&&|\|\|?|;/)) {
    const words = part.split(/[\s=]+/).map(word => word.replace(/^["'(]+|["')]+$/g, ''));
    const after = (word: string) => words[words.indexOf(word) + 1] ?? '';
    if (words.includes('cd')) folder = joined(folder, after('cd'));
    if (words.some(word => /^g?make$/.test(word))) {
      const place = words.includes('-C') ? joined(folder, after('-C')) : folder;
      const names = words.includes('-f') ? [after('-f')] : ['GNUmakefile', 'makefile', 'Makefile'];
      files.push(...names.map(name => joined(place, name)));
    }
    let hasProgram = words.includes('-m');
    for (const word of words) {
      if (isScript(word) || isDataFile(word) || (hasProgram && word.endsWith('.py'))) {
        files.push(joined(folder, word));
      }
      hasProgram ||= word.endsWith('.py');
    }
  }
  return files;
}

function joined(folder: string, path: string): string {
  const plain = path.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
  return folder === '' || plain.startsWith('/') ? plain : `${folder}/${plain}`;
}

function namesOfCommands(code: string): ReadonlySet<string> {
  const exported = [...code.matchAll(/^\s*export\s+(\w+)=/gm)].map(([, name = '']) => name);
  const defined = [...code.matchAll(DEFINED)].map(([, name = '']) => name);
  return new Set([...exported, ...defined, ...optionsOf(code)]);
}

function namesOfSettings(path: string, text: string): ReadonlySet<string> {
  if (!isDataFile(path)) return new Set(assignedNames(text));
  return new Set(
    findDataConstants(path, text).flatMap(({ name }) => [name, name.slice(name.lastIndexOf('.') + 1)]),
  );
}
