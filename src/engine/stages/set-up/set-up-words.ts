import { posix } from 'node:path';

/** Files that programs read without being told to. */
const IMPLIED: ReadonlyMap<string, readonly string[]> = new Map([
  ['make', ['GNUmakefile', 'makefile', 'Makefile']],
  ['gmake', ['GNUmakefile', 'makefile', 'Makefile']],
  ['npm', ['package.json']],
  ['npx', ['package.json']],
  ['pnpm', ['package.json']],
  ['yarn', ['package.json']],
  ['bun', ['package.json']],
  ['pip', ['pyproject.toml', 'setup.py', 'setup.cfg']],
  ['pip3', ['pyproject.toml', 'setup.py', 'setup.cfg']],
  ['python', ['__main__.py']],
  ['python3', ['__main__.py']],
  ['uv', ['pyproject.toml', 'setup.py']],
  ['poetry', ['pyproject.toml']],
  ['cargo', ['Cargo.toml', 'build.rs']],
  ['bundle', ['Gemfile']],
  ['rake', ['Rakefile']],
  ['cmake', ['CMakeLists.txt']],
  ['ninja', ['build.ninja']],
  ['just', ['justfile', 'Justfile']],
]);
/** Options that are followed by a working folder. */
const FOLDER_OPTIONS = new Set(['-C', '-S', '--directory', '--prefix', '--project', '--cwd', '--chdir']);

const MAX_FOLDERS = 8;

/**
 * The paths from which a command line may read instructions, relative to the top of the commit: each of its words, in
 * the working folder at that point, and the files that its programs and modules imply. Most of these are not files;
 * the caller checks that. Variables and substitutions are unknown, so after a folder with one, words count from the
 * folder before it.
 */
export function readSetUpWords(command: string): readonly string[] {
  const paths = new Set<string>();
  const outer: string[] = [];
  let folder = '';
  let words: string[] = [];
  const close = () => {
    for (const path of pathsOf(words, folder)) paths.add(path);
    const at = words.findIndex(word => word === 'cd' || word === 'pushd');
    const target = at < 0 ? undefined : words.slice(at + 1).find(word => !word.startsWith('-'));
    if (target !== undefined) folder = inside(folder, target);
    words = [];
  };
  for (const [token] of command.replaceAll('\\\n', ' ').matchAll(/[;&|\n()]|[^\s;&|()<>"'`=]+/g)) {
    if (!/^[;&|\n()]$/.test(token)) {
      words.push(token.replaceAll('\\', ''));
      continue;
    }
    close();
    // A subshell's change of folder ends with it.
    if (token === '(') outer.push(folder);
    if (token === ')') folder = outer.pop() ?? folder;
  }
  close();
  for (const [, one, other] of command.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g)) {
    const quoted = one ?? other ?? '';
    // A name that contains a space.
    if (/\s/.test(quoted)) for (const from of ['', folder]) paths.add(inside(from, quoted));
  }
  return [...paths].filter(path => path !== '' && !path.startsWith('..'));
}

function pathsOf(words: readonly string[], folder: string): readonly string[] {
  const chosen = new Set<string>();
  const modules: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = words[index - 1] ?? '';
    if (FOLDER_OPTIONS.has(before)) chosen.add(inside(folder, word));
    if (/^-[CS]./.test(word)) chosen.add(inside(folder, word.slice(2)));
    if (/^-\w*m$/.test(before)) modules.push(word);
    if (/^-m./.test(word)) modules.push(word.slice(2));
  }
  const different = [...new Set(words)];
  const implied = [...new Set(different.flatMap(word => IMPLIED.get(posix.basename(word)) ?? []))];
  // A program looks into a folder that it is given: `pip install ./tool`.
  const below = implied.flatMap(name => different.map(word => posix.join(word, name)));
  const named = [...different, ...modules.flatMap(filesOfModule), ...below];
  const places = chosen.size > 0 ? [...chosen].slice(0, MAX_FOLDERS) : [folder];
  // Whether a name is relative to the chosen folder or to the current one depends on the program.
  return [
    ...places.flatMap(place => [...named, ...implied].map(word => inside(place, word))),
    ...named.map(word => inside(folder, word)),
  ];
}

/** The files that Python runs for `-m a.b`: its packages from the outside in, then the module. */
function filesOfModule(module: string): readonly string[] {
  const parts = module.split('.');
  const packages = parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/__init__.py`);
  const path = parts.join('/');
  return [...packages, `${path}.py`, `${path}/__main__.py`];
}

/** A path from the top, for a word in a folder. */
function inside(folder: string, word: string): string {
  // A variable at the start of a path is usually the folder itself: `$PWD/tool.sh`.
  const own = word.replace(/^\$\w+\//, '');
  if (/^[/~$-]/.test(own)) return folder;
  const path = posix.join(folder, own);
  return path === '.' || path === './' ? '' : path.replace(/\/+$/, '');
}
