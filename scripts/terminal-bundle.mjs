// Makes the terminal host, a bundle in out/cli, with a record of the files it was made of, by which scripts/pawl.mjs notices
// that it is not the one of the sources any more.
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
/** `pawl` is what a user starts, and `own-session` what starts it where the Node at hand is too old. */
const STARTERS = ['pawl', 'own-session'];
/** A study may run for weeks and load a part of the bundle it began with. */
const KEPT_MS = 60 * 24 * 3_600_000;

const folder = join(root, 'out', 'cli');
/** Name, size and time of every file that the bundle was made of. */
const inputsFile = join(folder, 'inputs.json');
/** Names of the bundle's own files, among those that earlier ones left. */
const namesFile = join(folder, 'files.json');
/** What is not among the modules and decides over the bundle too. */
const OTHER_INPUTS = ['package-lock.json', 'scripts/terminal-bundle.mjs'];

/** Bundles entries (name to source file) for Node. Returns the files that make it up, and paths of all that went into them. */
export async function bundleForNode(input, plugins = []) {
  const { build } = await import('vite');
  // Not what the output names: a module of nothing but constants is written into others and leaves no trace there.
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
        // As CommonJS it starts in four fifths of the time: no facades of Node's own modules, a shorter way to each file.
        output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
      },
    },
  });
  return { output, inputs: [...inputs] };
}

/**
 * Makes the thread of the search a file of its own beside what starts it, and puts its place there. Its name changes with its
 * text: a host that was started before goes on with its own.
 */
export const searchWorker = {
  name: 'search-worker',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('choose-in-worker.ts')) return null;
    const source = join(id, '..', 'search-worker.ts');
    const reference = this.emitFile({ type: 'chunk', id: source, name: 'search-worker' });
    // Where nothing is served this is the path below the folder of what starts it.
    return code.replace(/'.\/search-worker\.ts'(?=\);)/, `import.meta.ROLLUP_FILE_URL_${reference}`);
  },
};

/** Builds the terminal host. A process that runs the one before goes on undisturbed. */
export async function buildTerminal() {
  const startedAt = Date.now();
  const source = name => [name, join(root, 'src', 'cli', `${name}.ts`)];
  // Apart, because a bundler puts what two files share into one of them: the first file is to load nothing it does not need.
  const host = await bundleForNode(Object.fromEntries([source('main')]));
  const starters = await bundleForNode(Object.fromEntries(STARTERS.map(source)), [mainApart]);
  const output = [...host.output, ...starters.output];
  mkdirSync(folder, { recursive: true });
  // Entries come after what they load, and the record of what it was made of last: no moment shows half a bundle as whole.
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
    // What changed during the build may be in it or not. A time in the future is of another clock.
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

/** Removes what was replaced long ago: from now on it counts for the files of the bundle before. */
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
