// Makes sure that there is a git: the embedded one if it can be downloaded, otherwise the system's. It is a separate
// step because dugite's install script fails a whole `npm ci` if its host is unreachable.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './find-node.mjs';

const LEAST_GIT = [2, 38];
const PROBE_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;

const dugite = join(root, 'node_modules', 'dugite');
const embeddedGit = join(dugite, 'git', process.platform === 'win32' ? 'cmd/git.exe' : 'bin/git');
const triedMarker = join(root, 'node_modules', '.cache', 'pawl', 'embedded-git-tried');

function versionOf(command, args) {
  return new Promise(resolve => {
    execFile(command, args, (error, stdout, stderr) =>
      resolve(error ? undefined : `${stdout}${stderr}`.trim()),
    );
  });
}

/** Whether the address answers soon. */
export async function isReachable(url) {
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return response.ok;
  } catch {
    return false;
  }
}

async function downloadEmbeddedGit() {
  const { createRequire } = await import('node:module');
  const config = createRequire(import.meta.url)(join(dugite, 'script', 'config.js'))();
  if (!config.source || !(await isReachable(config.source))) return false;
  return new Promise(resolve => {
    const child = spawn(process.execPath, [join(dugite, 'script', 'download-git.js')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: DOWNLOAD_TIMEOUT_MS,
    });
    child.on('error', () => resolve(false));
    child.on('exit', code => {
      const isWhole = code === 0 && existsSync(embeddedGit);
      // Half a git is worse than none: nothing would look for the system's.
      if (!isWhole) rmSync(join(dugite, 'git'), { recursive: true, force: true });
      resolve(isWhole);
    });
  });
}

/**
 * Returns once git is usable; otherwise ends the process with a message that says what to install. Tries the download
 * once per install.
 */
export async function ensureGit() {
  if (process.env.LOCAL_GIT_DIRECTORY || existsSync(embeddedGit)) return;
  if (!existsSync(triedMarker)) {
    mkdirSync(join(triedMarker, '..'), { recursive: true });
    writeFileSync(triedMarker, '');
    if (await downloadEmbeddedGit()) return;
  }
  const found = /(\d+)\.(\d+)/.exec((await versionOf('git', ['--version'])) ?? '');
  const [major, minor] = found ? [Number(found[1]), Number(found[2])] : [0, 0];
  if (major > LEAST_GIT[0] || (major === LEAST_GIT[0] && minor >= LEAST_GIT[1])) return;
  console.error(
    `pawl: needs git ${LEAST_GIT.join('.')} or newer (${found ? `found ${found[0]}` : 'none found'}). ` +
      'On Debian: apt-get install git. On macOS: xcode-select --install.',
  );
  process.exit(2);
}

/** Looks in the folders of the PATH and in Playwright's own; downloads nothing. */
export async function ensureChromium() {
  const { chromium } = await import('@playwright/test');
  if (existsSync(chromium.executablePath())) return;
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (names.some(name => folders.some(folder => existsSync(join(folder, name))))) return;
  console.error(
    'The tests of the window need Chromium. On Debian: apt-get install chromium-headless-shell. Elsewhere: npx playwright install chromium.',
  );
  process.exit(2);
}

export async function ensurePython() {
  const found = /Python 3\.(\d+)/.exec((await versionOf('python3', ['--version'])) ?? '');
  if (found && Number(found[1]) >= 9) return;
  console.error('The tests need Python 3.9 or newer as python3. On Debian: apt-get install python3.');
  process.exit(2);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureGit();
  await ensurePython();
}
