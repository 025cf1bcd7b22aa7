/**
 * What a window may load: only its own files. `connect` is where it may send calls.
 *
 * Styles may be inline because the terminal and the editor write their style sheets at run time; only Pawl's own code
 * can add one to the page, because the page shows foreign text as text.
 */
export function contentSecurityPolicy(connect: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
