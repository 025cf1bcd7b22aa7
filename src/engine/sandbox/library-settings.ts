import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A larger file holds more than settings. */
const MAX_BYTES = 1024 ** 2;

/**
 * Lets a contained program compute with the settings that the user gave to its libraries: without them it would train
 * in another precision or on another backend, and say so at most in a warning. Sources: accelerate 1.15.0
 * (`commands/config/config_args.py`), Keras 3.15.1 (`src/backend/config.py`).
 * @param environment the environment that the program would have without a sandbox
 * @param caches the program's caches, whose folder `huggingface` takes the place of the user's and gets a copy
 * @returns files that the program has to see where they are
 */
export async function showLibrarySettings(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  caches: string,
): Promise<readonly string[]> {
  const cache = environment.XDG_CACHE_HOME || join(home, '.cache');
  const accelerate = join(environment.HF_HOME || join(cache, 'huggingface'), 'accelerate');
  const copies = join(caches, 'huggingface', 'accelerate');
  for (const name of ['default_config.yaml', 'default_config.json']) {
    const file = join(accelerate, name);
    if (!(await isSmallFile(file))) continue;
    await mkdir(copies, { recursive: true });
    await copyFile(file, join(copies, name));
  }
  const keras = join(environment.KERAS_HOME || join(home, '.keras'), 'keras.json');
  return (await isSmallFile(keras)) ? [keras] : [];
}

async function isSmallFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true && found.size <= MAX_BYTES;
}
