import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Names by which this machine knows itself, with any port: over ssh, the browser uses the port of its own end. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Prefix of the WebSocket subprotocol that carries the token, because browsers cannot set headers there. */
const TOKEN_PROTOCOL = 'token.';

export type Refusal = { readonly status: 400 | 401 | 403 | 404 | 405; readonly why: string };

/**
 * Whether the request names this machine as its host. A page of another site whose name was redirected to the
 * loopback address would still send its own name.
 */
export function refuseHost(request: IncomingMessage): Refusal | null {
  const { host } = request.headers;
  return host !== undefined && LOOPBACK.test(host) ? null : { status: 403, why: 'wrong Host' };
}

/** Whether the requesting page was served by this server. */
export function refuseOrigin(request: IncomingMessage): Refusal | null {
  const { origin, host } = request.headers;
  return origin === `http://${host}` ? null : { status: 403, why: 'wrong Origin' };
}

/** Whether a WebSocket's subprotocols contain the token of this start. */
export function refuseToken(request: IncomingMessage, token: string): Refusal | null {
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(',');
  const given = protocols.map(name => name.trim()).find(name => name.startsWith(TOKEN_PROTOCOL));
  const isRight = given !== undefined && isSame(given.slice(TOKEN_PROTOCOL.length), token);
  return isRight ? null : { status: 401, why: 'wrong token' };
}

/** Compares in constant time, so that the duration does not reveal the first difference. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
