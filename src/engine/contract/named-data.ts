import { isAbsolute, join } from 'node:path';
import { isBelow } from '../paths.ts';

/**
 * Folders that a script of the repository calls its cache: `CACHE_DIR = os.path.join(os.path.expanduser("~"),
 * ".cache", "x")`, `Path.home() / ".cache" / "x"`, `"~/.cache/x"`. Only folders in which nobody keeps secrets: in
 * `~/.cache`, in a folder called data, or outside the home folder.
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
    // Any other expression is not guessed at.
    if (/[{]|\sif\s/.test(expression)) continue;
    const words = [...expression.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g)].map(([, a, b]) => a ?? b ?? '');
    // A variable's name, followed by a default.
    const isVariable = (word: string) => /^[A-Z][A-Z0-9_]*$/.test(word);
    // If the user has set the variable, the script does not use its default.
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

/** Where a system keeps things other than data, and where other users keep theirs. */
const NO_DATA = ['/tmp', '/run', '/var', '/proc', '/sys', '/dev', '/etc', '/usr', '/boot', '/home', '/root'];

/**
 * Whether a path's name says that it may hold data; a home folder also contains secrets, and only the names tell them
 * apart.
 */
function isOfData(path: string, home: string): boolean {
  if (!isBelow(path, home))
    return path.split('/').length > 2 && !NO_DATA.some(folder => isBelow(path, folder));
  const below = path.slice(home.length + 1);
  return /^(?:\.cache\/.|data(?:sets?)?(?:\/|$)|\.(?:medmnist|keras\/datasets|torch|mnist|cifar\w*)(?:\/|$))/i.test(
    below,
  );
}
