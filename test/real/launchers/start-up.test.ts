import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { endOf, startNode } from '../../support/node-process.ts';
import { temporaryFolder } from '../../support/scaffold.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A checkout of its own, which can be edited; with its launcher. */
async function checkout(): Promise<{ readonly folder: string; readonly launcher: string }> {
  const folder = await temporaryFolder();
  for (const name of ['scripts', 'src', 'resources', 'package.json', 'package-lock.json']) {
    await cp(join(ROOT, name), join(folder, name), {
      recursive: true,
      filter: path => !/__pycache__/.test(path),
    });
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { folder, launcher: join(folder, 'scripts', 'pawl.mjs') };
}

test('the launcher builds what it starts, again after a change, and runs nothing old where that fails', async () => {
  const { folder, launcher } = await checkout();
  const home = await temporaryFolder();
  const pawl = (...args: string[]) => endOf(startNode(process.execPath, [launcher, ...args], home));
  expect(await pawl('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  // A module of nothing but constants is written into others, and is a source all the same.
  const inputs = JSON.parse(await readFile(join(folder, 'out/cli/inputs.json'), 'utf8'));
  expect(Object.keys(inputs)).toContain('src/shared/terminal.ts');
  const version = join(folder, 'src/shared/version.ts');
  await writeFile(version, "export const VERSION = '0.2.0';\n");
  expect(await pawl('--version')).toEqual({ code: 0, stdout: '0.2.0\n', stderr: '' });
  await writeFile(version, "export const VERSION = ';\n");
  const failed = await pawl('--version');
  expect([failed.code, failed.stdout]).toEqual([1, '']);
  expect(failed.stderr).toMatch(/version\.ts[\s\S]*\npawl: the terminal host could not be built; /);
});

/** Packages that a source file loads before anything of it runs, by way of every file it imports. */
async function packagesOf(entry: string): Promise<ReadonlySet<string>> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file) || !file.endsWith('.ts')) return;
    seen.add(file);
    const text = await readFile(file, 'utf8');
    const imports = text.matchAll(/^(?:import|export) (?:([^;']*?) from )?'([^']+)';/gm);
    for (const [, names = '', from = ''] of imports) {
      const isOfTypes = /^type /.test(names) || /^\{(?:\s*type [^,}]*,?)+\s*\}$/.test(names.trim());
      if (isOfTypes) continue;
      if (from.startsWith('.')) await visit(resolve(dirname(file), from));
      else packages.add(from);
    }
  };
  await visit(join(ROOT, entry));
  expect(relative(ROOT, [...seen][0] ?? '')).toBe(entry);
  return packages;
}

test('the first file of the terminal loads no package, and a look at a study only the ledger', async () => {
  const own = (packages: ReadonlySet<string>) =>
    [...packages].filter(name => !name.startsWith('node:')).sort();
  expect(own(await packagesOf('src/cli/pawl.ts'))).toEqual([]);
  expect(own(await packagesOf('src/cli/main.ts'))).toEqual(['commander']);
  expect(own(await packagesOf('src/cli/commands/status.ts'))).toEqual(['better-sqlite3', 'env-paths']);
  // Slow to load, and nothing that a look needs.
  expect(await packagesOf('src/cli/commands/status.ts')).not.toContain('node:crypto');
});

test.each(['run', 'serve', 'mcp', 'doctor', 'show', 'exchange'])(
  '"pawl %s" loads no SDK before it is used',
  async command => {
    const packages = await packagesOf(`src/cli/commands/${command}.ts`);
    const sdk = /^@(?:anthropic-ai|agentclientprotocol|modelcontextprotocol)/;
    expect([...packages].filter(name => sdk.test(name))).toEqual([]);
  },
);
