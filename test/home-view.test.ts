import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { homeView } from '../src/engine/sandbox/home-view.ts';
import { temporaryFolder } from './support/scaffold.ts';

/** What a training sees of a home folder with these folders and empty files; a folder's name ends in a slash. */
async function seenOf(entries: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const home = await temporaryFolder();
  for (const entry of entries) {
    await mkdir(join(home, dirname(entry)), { recursive: true });
    if (entry.endsWith('/')) await mkdir(join(home, entry));
    else await writeFile(join(home, entry), '');
  }
  const named = Object.entries(variables).map(([name, path]) => [name, join(home, path)]);
  const { hidden, readable } = await homeView({
    ...{ home, environment: { HOME: home, PATH: '/usr/bin', ...Object.fromEntries(named) } },
    ...{ command: 'make', programs: [], reads: [], checkout: [], dataFolder: null, standIns: [] },
  });
  expect(hidden).toContain(home);
  return readable.filter(path => path.startsWith(home)).map(path => relative(home, path));
}

test("a training sees Go's downloaded modules, and nothing else of Go's folder in the home", async () => {
  expect(await seenOf(['go/pkg/mod/example.org/', 'go/pkg/sumdb/', 'go/src/'])).toEqual(['go/pkg/mod']);
});

test("a training sees Rust's toolchains and downloaded crates, and no token of cargo", async () => {
  const cargo = (folder: string) =>
    ['registry/cache/', 'git/db/', 'credentials.toml', 'config.toml'].map(name => `${folder}/${name}`);
  const seen = await seenOf([...cargo('.cargo'), '.rustup/toolchains/stable/', '.rustup/settings.toml']);
  expect(seen.toSorted()).toEqual(['.cargo/git', '.cargo/registry', '.rustup']);
  const moved = await seenOf([...cargo('rust/cargo'), 'rust/up/toolchains/'], {
    CARGO_HOME: 'rust/cargo',
    RUSTUP_HOME: 'rust/up',
  });
  expect(moved.toSorted()).toEqual(['rust/cargo/git', 'rust/cargo/registry', 'rust/up']);
});
