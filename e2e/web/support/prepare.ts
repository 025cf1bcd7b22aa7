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
 * Runs before all specs: checks that there is a browser, builds the window and its server if the sources are newer, and
 * creates the folder that the workers share. Returns the function that cleans up after all specs.
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

/** Removes the stack trace, because it does not help to find out what is missing. */
function withoutStack(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}

// biome-ignore lint/style/noDefaultExport: Playwright loads a set-up by its default export
export default prepare;
