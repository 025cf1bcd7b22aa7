// Bundles the terminal host into out/cli, with a record of its source files, by which scripts/pawl.mjs notices that
// they have changed.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './find-node.mjs';

/** Packages that look for files beside their own, or load a binary. They stay in node_modules. */
export const EXTERNAL = ['better-sqlite3', 'node-pty', 'dugite'];
/** `pawl` is what a user starts; `own-session` starts it if the user's Node is too old. */
const STARTERS = ['pawl', 'own-session'];
/** A study may run for weeks and still load parts of the bundle with which it began. */
const KEPT_MS = 60 * 24 * 3_600_000;

const folder = join(root, 'out', 'cli');
/** Name, size and time of every file from which the bundle was made. */
const inputsFile = join(folder, 'inputs.json');
/** Names of the current bundle's files, which lie among older ones. */
const namesFile = join(folder, 'files.json');
/** Other files that affect the bundle. */
const OTHER_INPUTS = ['package-lock.json', 'scripts/terminal-bundle.mjs'];

/** Bundles entries (name to source file) for Node. Returns the files of the bundle, and the paths of all its sources. */
export async function bundleForNode(input, plugins = []) {
  const { build } = await import('vite');
  // Recorded here, because a module of nothing but constants is inlined into others and does not appear in the
  // output.
  const inputs = new Set();
  const record = { name: 'record-inputs', load: id => void inputs.add(id) };
  const { output } = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [...plugins, record, searchWorker],
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      write: false,
      target: 'node22',
      minify: true,
      rollupOptions: {
        input,
        // CommonJS starts in four fifths of the time: no facades for Node's own modules, faster file resolution.
        output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
      },
    },
  });
  return { output, inputs: [...inputs] };
}

/**
 * Makes the search's thread a separate file beside the one that starts it, and inserts its path there. The file name
 * changes with its content: a host that is already running keeps using its own.
 */
export const searchWorker = {
  name: 'search-worker',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('choose-in-worker.ts')) return null;
    const source = join(id, '..', 'search-worker.ts');
    const reference = this.emitFile({ type: 'chunk', id: source, name: 'search-worker' });
    // Outside a server this becomes the path relative to the folder of the file that starts it.
    return code.replace(/'.\/search-worker\.ts'(?=\);)/, `import.meta.ROLLUP_FILE_URL_${reference}`);
  },
};

/** Builds the terminal host. A process that runs the previous bundle is not disturbed. */
export async function buildTerminal() {
  const startedAt = Date.now();
  const source = name => [name, join(root, 'src', 'cli', `${name}.ts`)];
  // Two bundles, because a bundler puts the shared parts of two files into one of them, and the first file must load
  // nothing it does not need.
  const host = await bundleForNode(Object.fromEntries([source('main')]));
  const starters = await bundleForNode(Object.fromEntries(STARTERS.map(source)), [mainApart]);
  const output = [...host.output, ...starters.output];
  mkdirSync(folder, { recursive: true });
  // Entries are written after the files they load, and the record of the sources last, so that half a bundle never
  // counts as whole.
  const files = [...output].sort((one, other) => Number(one.isEntry) - Number(other.isEntry));
  for (const { fileName, code } of files) replaceFile(join(folder, fileName), code);
  const modules = [...host.inputs, ...starters.inputs];
  replaceFile(inputsFile, JSON.stringify(describeInputs(modules, startedAt)));
  rmSync(join(folder, 'compiled'), { recursive: true, force: true });
  removeOld(files.map(({ fileName }) => fileName));
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
    // A change during the build may or may not be included. A time in the future comes from another clock.
    const isDuring = mtimeMs >= startedAt && mtimeMs <= Date.now();
    return [path, [size, isDuring ? 0 : Math.floor(mtimeMs)]];
  });
  return Object.fromEntries(described);
}

function replaceFile(path, text) {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

/** Removes files that were replaced long ago; the age of the previous bundle's files counts from now. */
function removeOld(current) {
  const now = new Date();
  for (const name of readNames()) {
    if (!current.includes(name) && existsSync(join(folder, name))) utimesSync(join(folder, name), now, now);
  }
  replaceFile(namesFile, JSON.stringify(current));
  const kept = [...current, 'inputs.json', 'files.json'];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!kept.includes(name) && now - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}

function readNames() {
  return existsSync(namesFile) ? JSON.parse(readFileSync(namesFile, 'utf8')) : [];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildTerminal();
