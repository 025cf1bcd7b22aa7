import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What each layer may import: of the project by folder, of packages by name. */
const RULES: Readonly<
  Record<string, { folders: readonly string[]; isPackageAllowed: (name: string) => boolean }>
> = {
  'src/shared': {
    folders: ['src/shared'],
    isPackageAllowed: name => ['zod', '@orpc/contract', 'd3-array', 'd3-scale'].includes(name),
  },
  'src/engine': {
    // Of resources the data it ships with; code there is not.
    folders: ['src/engine', 'src/shared', 'resources'],
    isPackageAllowed: name => !/^(electron|react|zustand|recharts)/.test(name),
  },
  // What happens next is decided by pure functions.
  'src/engine/session/loop': {
    folders: ['session/loop', 'stages', 'statistics'].map(room => `src/engine/${room}`).concat('src/shared'),
    isPackageAllowed: () => false,
  },
  // What is trained elsewhere knows nothing of studies.
  'src/engine/remote': {
    folders: [
      'remote',
      'contract',
      'git',
      'machine',
      'process',
      'sandbox',
      'paths.ts',
      'resources.ts',
      'user-settings.ts',
    ]
      .map(room => `src/engine/${room}`)
      .concat('src/shared'),
    isPackageAllowed: name => /^(node:|picomatch$|zod$)/.test(name),
  },
  'src/server': {
    folders: ['src/server', 'src/engine/api', 'src/shared'],
    isPackageAllowed: name => !/^(electron|react|zustand|recharts)/.test(name),
  },
  'src/cli': {
    folders: ['src/cli', 'src/server', 'src/engine', 'src/shared'],
    isPackageAllowed: name => !/^(electron|react|zustand|recharts)/.test(name),
  },
  'src/main': {
    folders: ['src/main', 'src/engine', 'src/shared'],
    isPackageAllowed: name => !/^(react|zustand|recharts|ws$)/.test(name),
  },
  // A sandboxed preload can load nothing but Electron; the build would put anything else into it.
  'src/preload': {
    folders: ['src/preload', 'src/shared'],
    isPackageAllowed: name => name === 'electron',
  },
  'src/renderer': {
    folders: ['src/renderer', 'src/shared'],
    isPackageAllowed: name =>
      !/^(node:|electron|@orpc\/server|better-sqlite3|node-pty|dugite|ws$|pino)/.test(name),
  },
  // What knows the store knows no feature.
  'src/renderer/app': {
    folders: ['app', 'charts', 'host', 'ui', 'format']
      .map(room => `src/renderer/${room}`)
      .concat('src/shared'),
    isPackageAllowed: name => !/^(recharts|@xterm|@codemirror)/.test(name),
  },
  'src/renderer/ui': {
    folders: ['src/renderer/ui', 'src/renderer/format', 'src/shared'],
    isPackageAllowed: name => /^(react|radix-ui|lucide-react)$/.test(name),
  },
};

/** What only later parts of the window need; zod would also make the browser report a refused `Function` to its console. */
const LATER = /^(zod|@orpc\/contract|recharts|d3-scale|sonner|@xterm|@codemirror)/;

async function sourceFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name));
}

function isIn(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`);
}

async function findImports(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '');
}

test.each(Object.keys(RULES))('%s imports only what its layer may', async layer => {
  const rule = RULES[layer];
  const files = await sourceFiles(join(root, layer));
  expect(files.length).toBeGreaterThan(0);
  const offences: string[] = [];
  for (const file of files) {
    for (const specifier of await findImports(file)) {
      const isAllowed = specifier.startsWith('.')
        ? rule?.folders.some(folder => isIn(relative(root, resolve(dirname(file), specifier)), folder))
        : rule?.isPackageAllowed(specifier);
      if (!isAllowed) offences.push(`${relative(root, file)} imports ${specifier}`);
    }
  }
  expect(offences).toEqual([]);
});

/** A folder of the engine or of the window, or a feature of the window; each is a room with one purpose. */
function roomOf(file: string): string {
  const [, layer = '', room = '', inner = ''] = relative(root, file).split('/');
  if (room.includes('.')) return layer;
  return room === 'features' ? `${layer}/${room}/${inner}` : `${layer}/${room}`;
}

test.each(['src/engine', 'src/renderer'])('no rooms of %s import each other in a circle', async layer => {
  const imported = new Map<string, Set<string>>();
  for (const file of await sourceFiles(join(root, layer))) {
    const room = roomOf(file);
    for (const specifier of await findImports(file)) {
      const other = specifier.startsWith('.') ? roomOf(resolve(dirname(file), specifier)) : room;
      if (other !== room) imported.set(room, (imported.get(room) ?? new Set()).add(other));
    }
  }
  expect(imported.size).toBeGreaterThan(5);
  // A room from which nothing leads on is in no circle; without these, what is left are the circles.
  for (let isLess = true; isLess; ) {
    isLess = false;
    for (const [room, others] of imported) {
      if ([...others].some(other => imported.has(other))) continue;
      imported.delete(room);
      isLess = true;
    }
  }
  expect(Object.fromEntries([...imported].map(([room, others]) => [room, [...others]]))).toEqual({});
});

/** Packages that the files from this one on need before they run. */
async function findPackagesAtOnce(file: string, seen = new Set<string>()): Promise<ReadonlySet<string>> {
  seen.add(file);
  const packages = new Set<string>();
  for (const [, specifier = ''] of (await readFile(file, 'utf8')).matchAll(
    /^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)'/gm,
  )) {
    const next = resolve(dirname(file), specifier);
    if (!specifier.startsWith('.')) packages.add(specifier);
    else if (/\.tsx?$/.test(next) && !seen.has(next)) {
      for (const name of await findPackagesAtOnce(next, seen)) packages.add(name);
    }
  }
  return packages;
}

test('the first cells of the window wait for no package that they do not need', async () => {
  const packages = await findPackagesAtOnce(join(root, 'src/renderer/window.tsx'));
  expect(packages).toContain('react-dom/client');
  expect([...packages].filter(name => LATER.test(name))).toEqual([]);
});

test('the engine starts no process synchronously and spawns git in one place only', async () => {
  const offences: string[] = [];
  for (const file of await sourceFiles(join(root, 'src'))) {
    const text = await readFile(file, 'utf8');
    if (/\b(execSync|spawnSync|execFileSync)\b/.test(text))
      offences.push(`${relative(root, file)}: synchronous process`);
    if (/from 'dugite'/.test(text) && !/src\/engine\/git\/git(-binary)?\.ts$/.test(file)) {
      offences.push(`${relative(root, file)}: git outside src/engine/git/git.ts`);
    }
  }
  expect(offences).toEqual([]);
});

test('there is one place for messages between page and main process on either side', async () => {
  const offences: string[] = [];
  for (const file of await sourceFiles(join(root, 'src'))) {
    const text = await readFile(file, 'utf8');
    const path = relative(root, file);
    if (/\bipcMain\b/.test(text) && path !== 'src/main/bridge.ts') offences.push(`${path}: ipcMain`);
    if (/\bipcRenderer\b/.test(text) && !/^src\/(preload\/preload|shared\/desktop-bridge)\.ts$/.test(path)) {
      offences.push(`${path}: ipcRenderer`);
    }
  }
  expect(offences).toEqual([]);
});

test('the lint refuses an engine that knows its host', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'biome.json': await readFile(join(root, 'biome.json'), 'utf8').then(text =>
      text.replace(/"vcs": \{[^}]*\},/, '').replace(/"\$schema": "[^"]*",/, ''),
    ),
    'src/engine/bad.ts': "import { app } from 'electron';\n\nexport const name = app;\n",
  });
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const failed = await promisify(execFile)(biome, ['lint', '.'], { cwd: folder }).then(
    () => '',
    error => `${error.stdout}${error.stderr}`,
  );
  expect(failed).toContain('The engine does not know its host');
});
