// Makes the terminal host, a bundle in out/cli, with a record of the files it was made of, by which scripts/pawl.mjs notices
// that it is not the one of the sources any more.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './find-node.mjs';

/** Packages that look for files beside their own, or load a binary. They stay in node_modules. */
export const EXTERNAL = ['better-sqlite3', 'node-pty', 'dugite'];
/** `pawl` is what a user starts, and `own-session` what starts it where the Node at hand is too old. */
const STARTERS = ['pawl', 'own-session'];
/** A study may run for weeks and load a part of the bundle it began with. */
const KEPT_MS = 60 * 24 * 3_600_000;

const folder = join(root, 'out', 'cli');
/** Name, size and time of every file that the bundle was made of. */
const inputsFile = join(folder, 'inputs.json');
/** What is not among the modules and decides over the bundle too. */
const OTHER_INPUTS = ['package-lock.json', 'scripts/terminal-bundle.mjs'];

/** Bundles entries (name to source file) for Node and returns the files that make it up. */
export async function bundleForNode(input, plugins = []) {
  const { build } = await import('vite');
  const { output } = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins,
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      write: false,
      target: 'node22',
      minify: true,
      rollupOptions: {
        input,
        // As CommonJS it starts in four fifths of the time: no facades of Node's own modules, a shorter way to each file.
        output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
      },
    },
  });
  return output;
}

/** Builds the terminal host. A process that runs the one before goes on undisturbed. */
export async function buildTerminal() {
  const startedAt = Date.now();
  const source = name => [name, join(root, 'src', 'cli', `${name}.ts`)];
  // Apart, because a bundler puts what two files share into one of them: the first file is to load nothing it does not need.
  const host = await bundleForNode(Object.fromEntries([source('main')]));
  const starters = await bundleForNode(Object.fromEntries(STARTERS.map(source)), [mainApart]);
  const output = [...host, ...starters];
  mkdirSync(folder, { recursive: true });
  // Entries come after what they load, and the record of what it was made of last: no moment shows half a bundle as whole.
  const files = [...output].sort((one, other) => Number(one.isEntry) - Number(other.isEntry));
  for (const { fileName, code } of files) replaceFile(join(folder, fileName), code);
  const modules = output.flatMap(({ modules }) => Object.keys(modules));
  replaceFile(inputsFile, JSON.stringify(describeInputs(modules, startedAt)));
  rmSync(join(folder, 'compiled'), { recursive: true, force: true });
  removeOld(new Set([...files.map(({ fileName }) => fileName), 'inputs.json']));
}

const mainApart = {
  name: 'main-apart',
  enforce: 'pre',
  transform: code => code.replace("import('./main.ts')", "require('./main.cjs')"),
  resolveId: id => (id === './main.cjs' ? { id, external: true } : null),
};

function describeInputs(modules, startedAt) {
  const own = modules
    .filter(path => existsSync(path) && !path.includes(`${sep}node_modules${sep}`))
    .map(path => relative(root, path));
  const described = [...new Set([...own, ...OTHER_INPUTS])].map(path => {
    const { size, mtimeMs } = statSync(join(root, path));
    // What changed during the build may be in it or not.
    return [path, [size, mtimeMs < startedAt ? Math.floor(mtimeMs) : 0]];
  });
  return Object.fromEntries(described);
}

function replaceFile(path, text) {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

function removeOld(current) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!current.has(name) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildTerminal();
