import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { TEST_LIMIT_MS } from '../../../test/support/clock.ts';
import { temporaryFolder } from './bench.ts';

/** This variable tells the workers the path of the folder that they share. */
const VARIABLE = 'PAWL_TEST_SHARED';

/** Creates the shared folder before all specs. Returns the function that removes it after them. */
export async function makeSharedFolder(): Promise<() => Promise<void>> {
  const folder = await temporaryFolder('shared');
  process.env[VARIABLE] = folder;
  return () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

export function sharedFolder(): string {
  const folder = process.env[VARIABLE];
  if (!folder) throw new Error(`${VARIABLE} names no folder`);
  return folder;
}

/** Calls `make` in the first worker only. All workers get its result, which must be JSON; the others wait for it. */
export async function makeOnce<T>(name: string, make: () => Promise<T>): Promise<T> {
  const result = join(sharedFolder(), `${name}.json`);
  const isFirst = await mkdir(join(sharedFolder(), `${name}.begun`)).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    const outcome = await make().then(
      made => ({ made }),
      (error: Error) => ({ error: String(error.stack) }),
    );
    await writeFile(`${result}.part`, JSON.stringify(outcome));
    await rename(`${result}.part`, result);
  }
  await expect.poll(() => existsSync(result), { intervals: [50], timeout: TEST_LIMIT_MS }).toBe(true);
  const { made, error } = JSON.parse(await readFile(result, 'utf8')) as { made?: T; error?: string };
  if (made === undefined) throw new Error(`${name} could not be made: ${error}`);
  return made;
}
