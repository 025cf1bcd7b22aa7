// Finds the Electron runtime: npm installs its wrapper, and the runtime itself is fetched once, if its source
// answers.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './find-node.mjs';
import { isReachable } from './setup.mjs';

const DOWNLOAD_TIMEOUT_MS = 300_000;
const electron = join(root, 'node_modules', 'electron');
const triedMarker = join(root, 'node_modules', '.cache', 'pawl', 'electron-tried');

/** Folder of the runtime and path of its program, if it is there. */
export function findElectron() {
  const pathFile = join(electron, 'path.txt');
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH || join(electron, 'dist');
  const path = join(folder, existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron');
  return existsSync(path) ? { folder, path } : undefined;
}

/** Tries once per install, and only if the source answers. */
export async function downloadElectron(node) {
  if (existsSync(triedMarker)) return;
  mkdirSync(join(triedMarker, '..'), { recursive: true });
  writeFileSync(triedMarker, '');
  const { version } = createRequire(import.meta.url)(join(electron, 'package.json'));
  const mirror = process.env.ELECTRON_MIRROR || 'https://github.com/electron/electron/releases/download/';
  const file = `v${version}/electron-v${version}-${process.platform}-${process.arch}.zip`;
  if (!(await isReachable(mirror + file))) return;
  console.log('pawl: fetching Electron, once');
  await new Promise(resolve => {
    const child = spawn(node, [join(electron, 'install.js')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: DOWNLOAD_TIMEOUT_MS,
    });
    child.on('error', resolve);
    child.on('exit', resolve);
  });
}
