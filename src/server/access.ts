import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Names of this machine for itself. Any port: over ssh the browser knows the server by the port of its own end. */
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Prefix of the WebSocket subprotocol that carries the token: browsers can set no header there. */
const TOKEN_PROTOCOL = 'token.';

export type Refusal = { readonly status: 400 | 401 | 403 | 404 | 405; readonly why: string };

/**
 * Whether the request was addressed to this machine by name. A page of another site that had its name pointed at the
 * loopback address would still send its own name.
 */
export function refuseHost(request: IncomingMessage): Refusal | null {
  const { host } = request.headers;
  return host !== undefined && LOOPBACK.test(host) ? null : { status: 403, why: 'wrong Host' };
}

/** Whether the page that asks is the one this server served. */
export function refuseOrigin(request: IncomingMessage): Refusal | null {
  const { origin, host } = request.headers;
  return origin === `http://${host}` ? null : { status: 403, why: 'wrong Origin' };
}

/** Whether the subprotocols of a WebSocket carry the token of this start. */
export function refuseToken(request: IncomingMessage, token: string): Refusal | null {
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '').split(',');
  const given = protocols.map(name => name.trim()).find(name => name.startsWith(TOKEN_PROTOCOL));
  const isRight = given !== undefined && isSame(given.slice(TOKEN_PROTOCOL.length), token);
  return isRight ? null : { status: 401, why: 'wrong token' };
}

/** Compares in a time that tells nothing about the first difference. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
