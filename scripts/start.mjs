// `npm start`: builds what has changed and opens the desktop app or, without Electron, the same interface in the
// browser. Arguments go to the app: a folder is opened as a project.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { downloadElectron, findElectron } from './electron-runtime.mjs';
import { requireNode, root } from './find-node.mjs';
import { ensureGit } from './setup.mjs';

/** An Electron that one of these signals ends this soon could not start here. */
const START_MS = 15_000;
const CRASH_SIGNALS = ['SIGTRAP', 'SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS'];

const sources = ['src', 'resources', 'electron.vite.config.ts', 'package-lock.json'];
const built = ['out/main/main.js', 'out/preload/preload.cjs', 'out/renderer/index.html'];

function changedAt(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map(name => changedAt(join(path, name))));
}

function isBuilt() {
  const files = built.map(path => join(root, path));
  if (!files.every(existsSync)) return false;
  const newestSource = Math.max(...sources.map(path => changedAt(join(root, path))));
  return Math.min(...files.map(changedAt)) > newestSource;
}

function build(node) {
  console.log('pawl: building');
  return new Promise(resolve => {
    const child = spawn(node, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: 'inherit' });
    child.on('error', () => resolve(false));
    child.on('exit', code => resolve(code === 0));
  });
}

/** The runtime, or why there is none. */
async function chooseElectron(node) {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY) return { why: 'there is no display' };
  if (process.getuid?.() === 0) return { why: 'Electron does not run as root' };
  if (!findElectron()) await downloadElectron(node);
  const path = findElectron()?.path;
  return path ? { path } : { why: 'no Electron runtime was found or could be fetched' };
}

/** Resolves to the exit code, or to undefined if Electron could not start at all. */
function runElectron(path) {
  const started = Date.now();
  // Its own session keeps Ctrl-C away from the engine's processes; the app gets a signal instead.
  const child = spawn(path, [root, ...process.argv.slice(2)], { stdio: 'inherit', detached: true });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map(signal => {
    const pass = () => child.kill(signal);
    process.on(signal, pass);
    return () => process.off(signal, pass);
  });
  return new Promise(resolve => {
    child.on('error', () => resolve(undefined));
    child.on('exit', (code, signal) => {
      for (const stop of signals) stop();
      const isStillborn = CRASH_SIGNALS.includes(signal) && Date.now() - started < START_MS;
      resolve(isStillborn ? undefined : (code ?? 128 + (constants.signals[signal] ?? 0)));
    });
  });
}

async function serve(why) {
  console.log(`pawl: ${why}; serving the same interface to the browser.`);
  process.argv.splice(2, Number.POSITIVE_INFINITY, 'serve', '--open');
  await import('./pawl.mjs');
}

if (!existsSync(join(root, 'node_modules', 'electron-vite'))) {
  console.error('pawl: dependencies are missing. Run "npm ci" in the checkout first.');
  process.exit(2);
}
const node = requireNode();
await ensureGit();
if (!isBuilt() && !(await build(node))) {
  console.error('pawl: the build failed; what is wrong stands above.');
  process.exit(1);
}
const { path, why } = await chooseElectron(node);
if (path === undefined) {
  await serve(why);
} else {
  const code = await runElectron(path);
  if (code === undefined) await serve('Electron could not start here');
  else process.exit(code);
}
