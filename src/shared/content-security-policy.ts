/**
 * What a window may load: its own files and nothing else. `connect` is where it may call to.
 *
 * Styles may be inline because the terminal and the editor write their style sheets at run time; nothing that is not
 * Pawl's own can put one into the page, for the page shows foreign text as text only.
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
