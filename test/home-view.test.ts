import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeView } from '../src/engine/sandbox/home-view.ts';
import { temporaryFolder } from './support/scaffold.ts';

test("a training sees Go's downloaded modules, and nothing else of Go's folder in the home", async () => {
  const home = await temporaryFolder();
  for (const folder of ['go/pkg/mod/example.org', 'go/pkg/sumdb', 'go/src'])
    await mkdir(join(home, folder), { recursive: true });
  const { hidden, readable } = await homeView({
    ...{ home, environment: { HOME: home, PATH: '/usr/bin' }, command: 'go run .', programs: [], reads: [] },
    ...{ checkout: [], dataFolder: null, standIns: [] },
  });
  expect(hidden).toContain(home);
  expect(readable.filter(path => path.startsWith(home))).toEqual([join(home, 'go/pkg/mod')]);
});
