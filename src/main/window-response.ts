import { readFile } from 'node:fs/promises';
import { findWindowFile } from '../engine/api/window-files.ts';
import { contentSecurityPolicy } from '../shared/content-security-policy.ts';

/** Origin of the window's page. A custom scheme has none of the rights of `file:`. */
export const WINDOW_ORIGIN = 'pawl://app';
export const WINDOW_URL = `${WINDOW_ORIGIN}/`;

const HEADERS = {
  // Calls use a message port, so the page has no reason to connect to anything.
  'content-security-policy': contentSecurityPolicy("'none'"),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** The answer to one request; refuses everything but a GET of one of the window's files. Never rejects. */
export async function respond(folder: string, method: string, address: string): Promise<Response> {
  if (method !== 'GET') return refuse(405, 'only GET');
  const path = pathOf(address);
  const found = path === null ? null : findWindowFile(folder, path);
  if (!found) return refuse(404, 'no such file');
  try {
    const body = await readFile(found.file);
    return new Response(body, { headers: { ...HEADERS, 'content-type': found.type } });
  } catch {
    return refuse(404, 'no such file');
  }
}

function refuse(status: number, why: string): Response {
  return new Response(`${why}\n`, { status, headers: { ...HEADERS, 'content-type': 'text/plain' } });
}

/** The path as it was sent; null if the host is another one. */
function pathOf(address: string): string | null {
  const rest = address.startsWith(WINDOW_URL) ? address.slice(WINDOW_ORIGIN.length) : null;
  return rest === null ? null : rest.replace(/[?#].*$/s, '');
}
