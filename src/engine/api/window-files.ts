import { extname, join, normalize, sep } from 'node:path';

/** The kinds of file a built window consists of. Anything else is not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * The file and content type for the path of an address. Null for anything a window must not get: paths out of the
 * folder, however spelled, and other kinds of file. Does not check that the file exists.
 */
export function findWindowFile(
  folder: string,
  pathname: string,
): { readonly file: string; readonly type: string } | null {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (path.includes('\0') || path.includes('\\') || path.split('/').includes('..')) return null;
  const file = normalize(join(folder, path === '/' ? 'index.html' : path));
  const type = TYPES[extname(file)];
  return type !== undefined && file.startsWith(normalize(folder + sep)) ? { file, type } : null;
}
