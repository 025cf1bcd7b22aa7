import { isAbsolute, join } from 'node:path';
import { isBelow } from '../paths.ts';

/**
 * Folders that a script of the repository calls its cache: `CACHE_DIR = os.path.join(os.path.expanduser("~"), ".cache", "x")`,
 * `Path.home() / ".cache" / "x"`, `"~/.cache/x"`. Only such in which nobody keeps secrets: below `~/.cache`, below what is
 * called data, or outside of home.
 */
export function namedDataFolders(
  script: string,
  home: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): readonly string[] {
  const found = new Set<string>();
  const line =
    /^[ \t]*(?:CACHE|\w*(?:CACHE|DATA(?:SETS?)?)_?(?:DIR|ROOT|PATH|HOME|FOLDER))\s*(?::\s*\w+\s*)?=\s*(.+)$/gim;
  for (const [, expression = ''] of script.matchAll(line)) {
    // What is computed otherwise is not guessed.
    if (/[{]|\sif\s/.test(expression)) continue;
    const words = [...expression.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g)].map(([, a, b]) => a ?? b ?? '');
    // A variable's name, and a default behind it.
    const isVariable = (word: string) => /^[A-Z][A-Z0-9_]*$/.test(word);
    // The default of a variable that the user has set is not what the script takes.
    if (words.some(word => isVariable(word) && environment[word])) continue;
    const parts = words.filter(word => !isVariable(word));
    const isOfHome = /expanduser|Path\.home\(\)/.test(expression) || parts[0]?.startsWith('~') === true;
    const first = parts[0] ?? '';
    if (!isOfHome && !isAbsolute(first)) continue;
    const path = join(isOfHome ? home : '/', ...parts.map(part => part.replace(/^~\/?/, '')));
    if (path !== home && !path.includes('..') && isOfData(path, home)) found.add(path.replace(/\/$/, ''));
  }
  return [...found];
}

/** Where a system keeps other things than data, and other people theirs. */
const NO_DATA = ['/tmp', '/run', '/var', '/proc', '/sys', '/dev', '/etc', '/usr', '/boot', '/home', '/root'];

/** Whether a path may hold data by its name; a home has folders of secrets, and they are found by name too. */
function isOfData(path: string, home: string): boolean {
  if (!isBelow(path, home))
    return path.split('/').length > 2 && !NO_DATA.some(folder => isBelow(path, folder));
  const below = path.slice(home.length + 1);
  return /^(?:\.cache\/.|data(?:sets?)?(?:\/|$)|\.(?:medmnist|keras\/datasets|torch|mnist|cifar\w*)(?:\/|$))/i.test(
    below,
  );
}
