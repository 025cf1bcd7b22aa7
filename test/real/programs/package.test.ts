import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endOf, startNode } from '../../support/node-process.ts';
import { temporaryFolder } from '../../support/scaffold.ts';

/**
 * The package as it is laid out in dist/linux-unpacked: with Electron in it where there is a runtime, else with a
 * stand-in. The app in it is then run by the double of Electron, its archive unpacked to a folder of the archive's name.
 * Not covered: Electron's own reading of the archive, its fuses at work, the tools that make a deb and an AppImage.
 */

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PACKED = join(ROOT, 'dist', 'linux-unpacked');
const PACKAGING = createRequire(join(ROOT, 'packaging', 'package.json'));
/** Version and number of the fuses, then `runAsNode`, which is off. */
const RUN_AS_NODE_OFF = /dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX[\s\S]{2}0/;

/** One of each kind: the page, calls, a sample, a study, and a folder that a desktop starts the app with. */
const PACKED_SPECS = [
  'the app opens one window on its own page',
  'calls are answered over a port',
  'the sample project opens, made from what was built',
  'a study that runs shows in the window',
  'a folder given to the first start waits for the page',
  'a folder given to a second start is offered in the first window',
].join('|');

const run = promisify(execFile);

/** What fpm, which makes a deb, is called with; the rest of its work is not done here. */
async function packWithStandIn(): Promise<{ readonly args: readonly string[]; readonly folder: string }> {
  const folder = await temporaryFolder();
  const fpm = join(folder, 'fpm');
  await writeFile(
    fpm,
    `#!/bin/sh
printf '%s\\n' "$@" > '${folder}/args'
previous=
for argument in "$@"; do
  [ "$previous" = --after-install ] && cp "$argument" '${folder}/after-install'
  [ "$previous" = --package ] && touch "$argument"
  case $argument in *.desktop=/*) cp "\${argument%%=/*}" '${folder}/desktop' ;; esac
  previous=$argument
done
`,
  );
  await chmod(fpm, 0o755);
  const settings = ['--linux', 'deb', '--publish', 'never', `-c.directories.output=${folder}/dist`];
  const builder = join(ROOT, 'packaging/node_modules/electron-builder/cli.js');
  await run(process.execPath, [builder, ...settings, '--prepackaged', PACKED], {
    cwd: ROOT,
    env: { ...process.env, USE_SYSTEM_FPM: 'true', PATH: `${folder}:${process.env.PATH}` },
  });
  return { args: (await readFile(join(folder, 'args'), 'utf8')).trim().split('\n'), folder };
}

/** Turns the archive into a folder out of which nothing can be run, because Electron can run nothing out of an archive. */
async function openArchive(): Promise<string> {
  const app = join(resources, 'app.asar');
  const { extractAll } = PACKAGING('@electron/asar') as { extractAll(archive: string, folder: string): void };
  extractAll(join(PACKED, 'resources', 'app.asar'), `${app}.folder`);
  await rm(app);
  await rename(`${app}.folder`, app);
  for (const entry of await readdir(app, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o444);
  }
  return app;
}

/** A copy of it away from the checkout, where nothing is found but what is in it. */
let installed = '';
let resources = '';

beforeAll(async () => {
  if (!process.env.PAWL_TEST_PACKED)
    await run('node', [join(ROOT, 'scripts', 'package.mjs')], { cwd: ROOT, maxBuffer: 2 ** 24 });
  installed = join(await mkdtemp(join(tmpdir(), 'pawl-package-')), 'Pawl');
  await cp(PACKED, installed, { recursive: true, verbatimSymlinks: true });
  resources = join(installed, 'resources');
});

afterAll(() => rm(join(installed, '..'), { recursive: true, force: true }));

test('the package holds what is looked for beside the archive, and its program is no Node', async () => {
  expect((await readdir(resources)).sort()).toEqual([
    ...['README.md', 'app.asar', 'harden', 'model-forwarder', 'node', 'node_modules'],
    ...['out', 'pawl', 'remote', 'samples', 'scorer', 'seccomp'],
  ]);
  expect((await readdir(join(resources, 'node_modules'))).sort()).toEqual([
    'better-sqlite3',
    'dugite',
    'node-pty',
  ]);
  expect(await readFile(join(installed, 'pawl-desktop'), 'latin1')).toMatch(RUN_AS_NODE_OFF);
});

test('"pawl" of the package runs a study of a sample with what is in the package alone', async () => {
  const home = await temporaryFolder();
  const bin = await temporaryFolder();
  await symlink(join(resources, 'pawl'), join(bin, 'pawl'));
  const env = { PATH: `${bin}:/usr/bin:/bin`, PAWL_SANDBOX: 'off' };
  const pawl = (...args: string[]) => endOf(startNode(join(bin, 'pawl'), args, home, env));
  expect(await pawl('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  const demo = await pawl('demo', '--sample', 'fast-text', '-n', '1', '--into', join(home, 'demo'), '--json');
  expect(demo).toMatchObject({ code: 0, stderr: '' });
  expect((await pawl('status')).stdout).toContain('1 tried:');
  // A packed Pawl tells agents of itself, not of a checkout.
  expect((await pawl('mcp', '--install', 'claude')).stdout).toContain(
    join(resources, 'out', 'cli', 'pawl.cjs'),
  );
});

test('"pawl serve" of the package has its window', async () => {
  const home = await temporaryFolder();
  const child = startNode(join(resources, 'pawl'), ['serve', '--port', '0'], home);
  const ended = endOf(child);
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', text => {
      said += text;
      const found = /http:\S+(?=\s)/.exec(said);
      if (found) resolve(found[0]);
    });
    void ended.then(end => reject(new Error(JSON.stringify(end))));
  });
  const page = await fetch(url);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>Pawl</title>')]);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
});

test('the app runs from the packed layout: its window, native modules, git, and a sample', async () => {
  const app = await openArchive();
  const playwright = join(ROOT, 'node_modules/@playwright/test/cli.js');
  const config = join(ROOT, 'e2e/electron/playwright.config.ts');
  const { stdout } = await run(process.execPath, [playwright, 'test', '-c', config, '-g', PACKED_SPECS], {
    cwd: ROOT,
    // No report: that would take the place of the one of all specs.
    env: { ...process.env, CI: '', PAWL_TEST_REPORTS: '', PAWL_APP: app, PAWL_DOUBLE_RESOURCES: resources },
  }).catch(error => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  expect(stdout).toMatch(/\b6 passed/);
});

test('the deb puts "pawl" on the PATH, opens folders, and loads profiles where AppArmor is there', async () => {
  const { args, folder } = await packWithStandIn();
  expect(args).toContain('dist/bin/pawl=/usr/bin/pawl');
  const desktop = await readFile(join(folder, 'desktop'), 'utf8');
  expect(desktop).toMatch(/^Exec=\/opt\/Pawl\/pawl-desktop %f$/m);
  expect(desktop).toMatch(/^MimeType=inode\/directory;$/m);
  const profiles = await readFile(join(PACKED, 'resources', 'apparmor-profile'), 'utf8');
  for (const program of ['/opt/Pawl/pawl-desktop', '/opt/Pawl/resources/node/bin/node']) {
    expect(profiles).toMatch(new RegExp(`"${program}" flags=\\(unconfined\\) \\{\\s+userns,`));
  }
  const afterInstall = await readFile(join(folder, 'after-install'), 'utf8');
  expect(afterInstall).toMatch(
    /apparmor_status --enabled[\s\S]*resources\/apparmor-profile[\s\S]*apparmor_parser --replace/,
  );
});
