import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

/** What a package has to hold, told from the code; that it does is `test/real/programs/package.test.ts`. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Settings = {
  readonly files: readonly string[];
  readonly extraResources: readonly { readonly from: string; readonly to: string }[];
};

const settings: Settings = parse(await readFile(join(ROOT, 'electron-builder.yml'), 'utf8'));
const packed = settings.extraResources.map(({ from }) => from);

/** The sources of what is packed, by path. */
async function sources(...folders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const folder of folders) {
    const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter(({ name }) => name.endsWith('.ts'))) {
      const path = join(entry.parentPath, entry.name);
      found.set(path.slice(ROOT.length), await readFile(path, 'utf8'));
    }
  }
  return found;
}

const HOSTS = ['src/shared', 'src/engine', 'src/server', 'src/cli', 'src/main'];

test('every folder of resources is packed, or compiled in, or makes the package', async () => {
  const text = [...(await sources(...HOSTS)).values()].join('\n');
  for (const name of await readdir(join(ROOT, 'resources'))) {
    const path = `resources/${name}`;
    const isPacked = [...packed, ...settings.files].some(entry => `${entry}/`.startsWith(`${path}/`));
    const isCompiledIn = name.endsWith('.json') && text.includes(`/${path}' with { type: 'json' }`);
    expect(isPacked || isCompiledIn, `${path} is missing in electron-builder.yml`).toBe(true);
  }
});

test('everything that is looked for beside the code is packed', async () => {
  const wanted: string[] = [];
  for (const [path, text] of await sources(...HOSTS)) {
    for (const [, name, given = ''] of text.matchAll(
      /\b(findShipped|findResource)\(([^()]*(?:\([^()]*\))?)\)/g,
    )) {
      if (path === 'src/engine/resources.ts') continue;
      const constant = new RegExp(`const ${given} = [\`']([^\`'$]+)`).exec(text)?.[1];
      const [first = '', ...more] = [...given.matchAll(/'([^']+)'/g)].map(([, part]) => part ?? '');
      const place = constant ?? [first, ...more].join('/');
      expect(place, `${path} looks for ${given}`).not.toBe('');
      wanted.push(name === 'findResource' ? `resources/${place}` : place);
    }
  }
  // The launcher of a checkout, which a package has not: there the first file of the terminal host takes its part.
  const beside = wanted.filter(place => place !== 'scripts/pawl.mjs');
  expect(beside.sort()).toEqual([
    'out/renderer/index.html',
    'resources/harden',
    'resources/model-forwarder/forward.py',
    'resources/remote',
    'resources/samples',
    'resources/scorer',
    'resources/seccomp',
    'resources/seccomp/',
  ]);
  for (const place of beside) {
    expect(
      packed.some(entry => `${place}/`.startsWith(`${entry}/`)),
      `${place} is missing`,
    ).toBe(true);
  }
});

test('modules that cannot be bundled are packed, and no others are left to be found', async () => {
  const bundle = await readFile(join(ROOT, 'scripts/terminal-bundle.mjs'), 'utf8');
  const external = [...(/EXTERNAL = \[([^\]]*)\]/.exec(bundle)?.[1] ?? '').matchAll(/'([^']+)'/g)];
  const names = external.map(([, name]) => `node_modules/${name}`);
  expect(names).toHaveLength(3);
  const modules = packed.filter(path => path.startsWith('node_modules/') && !path.includes('node-linux-'));
  expect(modules.sort()).toEqual(names.sort());
  for (const { from, to } of settings.extraResources) {
    if (modules.includes(from)) expect(to).toBe(from);
  }
});

test('the engine and the desktop app start no second process of their own program', async () => {
  // Electron's binary is no Node in a package. The terminal host runs under a real one and may.
  const offences = [...(await sources('src/shared', 'src/engine', 'src/server', 'src/main'))].flatMap(
    ([path, text]) => (/\bexecPath\b|\bRUN_AS_NODE\b|\bfork\(|\bnew Worker\(/.test(text) ? [path] : []),
  );
  // A thread, which is no second process: the search by a Gaussian process thinks in one.
  expect(offences).toEqual(['src/engine/proposers/search/choose-in-worker.ts']);
});
