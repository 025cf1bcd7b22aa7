import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What a package that is installed from a folder of source leaves there. Source: the Python packaging guide, "Direct URL" and editable installs. */
const TRACES = ['*.pth', '__editable__*', '*.dist-info/direct_url.json'];

/**
 * What in a Python environment leads to the source in `folder`: whoever uses the environment from another folder imports that code. Null
 * for nothing.
 */
export async function findInstallFrom(environment: string, folder: string): Promise<string | null> {
  const patterns = TRACES.map(trace => join(environment, 'lib/python*/site-packages', trace));
  for await (const path of glob(patterns)) {
    const text = await readFile(path, 'latin1').catch(() => '');
    if (text.includes(folder)) return basename(path);
  }
  return null;
}
