import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildPawl } from '../../../test/support/pawl-command.ts';
import { findHeadlessChromium } from '../../chromium.ts';
import { makeSharedFolder } from './shared.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BUILT = join(ROOT, 'out/renderer/index.html');
const SOURCES = ['src/renderer', 'src/shared'];

/**
 * Before all specs: a browser is there, the window they look at and its server are those of these sources, and there is a
 * folder for what they share. Returns what is done after all specs.
 */
async function prepare(): Promise<() => Promise<void>> {
  await buildWindow();
  return makeSharedFolder();
}

async function buildWindow(): Promise<void> {
  if (findHeadlessChromium() === null) {
    throw withoutStack('No Chromium was found: run "npx playwright install chromium" or install chromium.');
  }
  await buildPawl();
  const builtAt = await stat(BUILT).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const newest = Math.max(...(await Promise.all(SOURCES.map(source => newestIn(join(ROOT, source))))));
  if (builtAt > newest) return;
  const builder = join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js');
  await promisify(execFile)(process.execPath, [builder, 'build'], { cwd: ROOT }).catch(
    (error: { readonly stdout: string; readonly stderr: string }) => {
      throw withoutStack(`The window could not be built:\n${error.stdout}${error.stderr}`);
    },
  );
}

async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const times = await Promise.all(entries.map(async entry => (await stat(join(folder, entry))).mtimeMs));
  return Math.max(0, ...times);
}

/** Where it was thrown says nothing about what is missing. */
function withoutStack(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}

// biome-ignore lint/style/noDefaultExport: Playwright loads a set-up by its default export
export default prepare;
