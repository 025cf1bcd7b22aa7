import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * Files of a package that was installed from a source folder. Source: the Python packaging guide, "Direct URL" and
 * editable installs.
 */
const TRACES = ['*.pth', '__editable__*', '*.dist-info/direct_url.json'];

/**
 * The file in a Python environment that points to the source in `folder`: another folder that uses this environment
 * imports that code. Null if there is none.
 */
export async function findInstallFrom(environment: string, folder: string): Promise<string | null> {
  const patterns = TRACES.map(trace => join(environment, 'lib/python*/site-packages', trace));
  for await (const path of glob(patterns)) {
    const text = await readFile(path, 'latin1').catch(() => '');
    if (text.includes(folder)) return basename(path);
  }
  return null;
}
