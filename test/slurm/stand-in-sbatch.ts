import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from '../support/scaffold.ts';

/** A PATH whose `sbatch` runs some lines of a shell first, and then the real one unless they ended it. */
export async function pathWithSbatch(before: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'sbatch'), `#!/bin/sh\n${before}\nexec /usr/bin/sbatch "$@"\n`, {
    mode: 0o755,
  });
  return `${folder}${delimiter}${process.env.PATH}`;
}
