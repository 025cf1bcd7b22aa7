import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { endOf, startNode } from '../../support/node-process.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A checkout that is built as far as `npm start` can tell, with a stub in the place of Electron. */
async function builtCheckout(
  electron: string,
): Promise<{ readonly folder: string; readonly runtime: string }> {
  const folder = await temporaryFolder();
  const parts = ['scripts', 'src', 'resources', 'package.json', 'package-lock.json', 'out/cli'];
  for (const name of parts.filter(part => existsSync(join(root, part)))) {
    await cp(join(root, name), join(folder, name), {
      recursive: true,
      // The terminal host is not built again where the one there is of these sources.
      preserveTimestamps: true,
      filter: path => !/__pycache__|cli\/compiled/.test(path),
    });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFiles(folder, {
    'electron.vite.config.ts': '',
    'out/main/main.js': '',
    'out/preload/preload.cjs': '',
    'out/renderer/index.html': '<!doctype html>',
  });
  // Newer than its sources, however coarse the clock of the file system.
  const later = Date.now() / 1_000 + 60;
  for (const name of ['main/main.js', 'preload/preload.cjs', 'renderer/index.html']) {
    await utimes(join(folder, 'out', name), later, later);
  }
  const runtime = join(folder, 'runtime');
  await mkdir(runtime);
  await writeFile(join(runtime, 'electron'), `#!/bin/sh\n${electron}\n`);
  await chmod(join(runtime, 'electron'), 0o755);
  return { folder, runtime };
}

/** Electron does not run as root, so who these tests run as must not matter. */
const runningAs = (user: number) => ({
  NODE_OPTIONS: `--import=data:text/javascript,process.getuid=()=>${user}`,
});

const desktop = (runtime: string, user: number) => ({
  ...runningAs(user),
  DISPLAY: ':0',
  ELECTRON_OVERRIDE_DIST_PATH: runtime,
});

async function start(folder: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const home = await temporaryFolder();
  const child = startNode(process.execPath, [join(folder, 'scripts', 'start.mjs'), ...args], home, {
    BROWSER: 'true',
    ...env,
  });
  return { child, ended: endOf(child) };
}

/** Waits until the child has printed it. */
async function untilPrinted(child: ReturnType<typeof startNode>, text: string): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', piece => {
      output += piece;
      if (output.includes(text)) resolve();
    });
    child.on('exit', code => reject(new Error(`ended (${code}): ${output}`)));
  });
}

test('without a display it says so in one line and serves the browser', async () => {
  const { folder } = await builtCheckout('exit 0');
  const { child, ended } = await start(folder, { DISPLAY: '', WAYLAND_DISPLAY: '' });
  await untilPrinted(child, 'Pawl is at http://127.0.0.1:');
  child.kill('SIGTERM');
  const { stdout } = await ended;
  expect(stdout.split('\n')[0]).toBe('pawl: there is no display; serving the same interface to the browser.');
});

test('root gets the browser, because Electron does not run as root', async () => {
  const { folder, runtime } = await builtCheckout('exit 0');
  const { child, ended } = await start(folder, desktop(runtime, 0));
  await untilPrinted(child, 'Pawl is at');
  child.kill('SIGTERM');
  expect((await ended).stdout).toMatch(/^pawl: Electron does not run as root; serving/);
});

test('Electron gets the app and the arguments, and its exit code is passed on', async () => {
  const { folder, runtime } = await builtCheckout('echo "$@" > "$(dirname "$0")/arguments"; exit 7');
  const { ended } = await start(folder, desktop(runtime, 1000), ['/repo']);
  expect(await ended).toMatchObject({ code: 7 });
  expect(await readFile(join(runtime, 'arguments'), 'utf8')).toBe(`${folder}/ /repo\n`);
});

test('an Electron that cannot start makes room for the browser', async () => {
  const { folder, runtime } = await builtCheckout('kill -TRAP $$');
  const { child, ended } = await start(folder, desktop(runtime, 1000));
  await untilPrinted(child, 'Pawl is at');
  child.kill('SIGTERM');
  expect((await ended).stdout).toMatch(/^pawl: Electron could not start here; serving/);
});
