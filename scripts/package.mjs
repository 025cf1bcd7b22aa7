// `npm run package`: a deb and an AppImage in dist/, made by electron-builder with the settings in
// electron-builder.yml. Without an Electron runtime it makes only the folder that would be packed, with a stand-in
// for the runtime: tests can inspect the content of a package, but it does not start. Arguments go to
// electron-builder.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { downloadElectron, findElectron } from './electron-runtime.mjs';
import { requireNode, root } from './find-node.mjs';

/** Where the deb installs the package's `pawl`. */
const INSTALLED_PAWL = '/opt/Pawl/resources/pawl';
/**
 * Marks the fuses in Electron's binary for the tool that sets them; then a version, their number, and each one's
 * default.
 */
const FUSES = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX\x01\x0900100100r';

const packaging = join(root, 'packaging');
const dist = join(root, 'dist');

function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`${args[0]} ended with ${code}.`))));
  });
}

/** A folder like Electron's, as far as packing needs it. */
function makeStandIn() {
  const folder = join(dist, 'stand-in');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'resources'), { recursive: true });
  mkdirSync(join(folder, 'locales'));
  for (const name of ['electron', 'chrome-sandbox']) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho 'This stands for ${name}.' >&2; exit 1\n# ${FUSES}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const node = requireNode();
if (!existsSync(join(packaging, 'node_modules', 'electron-builder'))) {
  await run('npm', ['ci'], { cwd: packaging });
}
await run(node, [join(root, 'scripts', 'build.mjs')]);
if (!findElectron()) await downloadElectron(node);
const runtime = findElectron();
mkdirSync(join(dist, 'bin'), { recursive: true });
rmSync(join(dist, 'bin', 'pawl'), { force: true });
symlinkSync(INSTALLED_PAWL, join(dist, 'bin', 'pawl'));
const args = [join(packaging, 'node_modules', 'electron-builder', 'cli.js'), '--linux', '--publish', 'never'];
if (runtime) args.push(`-c.electronDist=${runtime.folder}`);
else args.push(`-c.electronDist=${makeStandIn()}`, '--dir');
await run(node, [...args, ...process.argv.slice(2)]);
if (!runtime) {
  console.log(
    'package: no Electron runtime was found or could be fetched, so there is no deb and no AppImage; dist/linux-unpacked ' +
      'shows what they would hold, with a stand-in for Electron.',
  );
}
