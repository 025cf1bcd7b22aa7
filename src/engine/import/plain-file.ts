import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PawlError } from '../../shared/errors.ts';

/** `refuse` is for files of a repository, whose links could lead to any of the user's files. */
export type Links = 'follow' | 'refuse';

/** The usual errors of opening a file, in words. */
const PLAIN_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file.',
  EACCES: 'you may not read it.',
};

/**
 * Opens a file to import. Rejects with `import_invalid` if it cannot be opened or is not a plain file: a pipe would
 * block, and a device never ends.
 */
export async function openPlainFile(
  path: string,
  links: Links = 'follow',
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  // Windows has neither flag.
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants as Partial<typeof constants>;
  const flags = (O_RDONLY ?? 0) | O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0);
  const file = await open(path, flags).catch(cause => {
    const why = PLAIN_REASONS[cause.code] ?? cause.message;
    throw new PawlError('import_invalid', `${path} cannot be read: ${why}`, { cause });
  });
  try {
    const found = await file.stat();
    if (!found.isFile())
      throw new PawlError('import_invalid', `${path} cannot be read: it is not a plain file.`);
    return { file, size: found.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Reads as many bytes as the file had when it was opened; later additions are ignored. Rejects with `import_invalid`,
 * also for more than `maxBytes`.
 */
export async function readPlainFile(
  path: string,
  maxBytes: number,
  links: Links = 'follow',
): Promise<Buffer> {
  const { file, size } = await openPlainFile(path, links);
  try {
    if (size > maxBytes) {
      throw new PawlError('import_invalid', `${path} has ${size} bytes; at most ${maxBytes} are read.`);
    }
    const content = Buffer.allocUnsafe(size);
    let bytes = 0;
    while (bytes < size) {
      const { bytesRead } = await file.read(content, bytes, size - bytes, bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    return content.subarray(0, bytes);
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    throw new PawlError('import_invalid', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  } finally {
    await file.close();
  }
}
