import { RPCHandler } from '@orpc/server/ws';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { isCallMessage } from '../engine/api/call-envelope.ts';
import type { PawlRouter } from '../engine/api/router.ts';

/** Between two pings; a window that missed one is disconnected, and reconnects by itself. */
const HEARTBEAT_MS = 30_000;
/** A window with this much unread data is disconnected; it can read a new snapshot when it reconnects. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** Carries the calls of one window over its socket until either side closes it. */
export function carryCalls(socket: WebSocket, router: PawlRouter, log: Logger): void {
  const handler = new RPCHandler(router);
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const heartbeat = setInterval(() => {
    if (!isAlive) {
      log.info('window does not answer; dropped');
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, HEARTBEAT_MS);
  heartbeat.unref();
  socket.on('close', () => clearInterval(heartbeat));
  socket.on('error', error => log.warn({ error: error.message }, 'malformed frame refused'));

  let isRefused = false;
  const refuse = (why: string) => {
    isRefused = true;
    log.warn(`message refused: ${why}`);
    socket.close(1008, why);
  };
  // Only messages that look like a call reach the handler.
  void handler.upgrade({
    send(data: string) {
      if (socket.bufferedAmount <= MAX_UNREAD_BYTES) {
        socket.send(data);
        return;
      }
      log.warn('window does not read; dropped');
      socket.terminate();
    },
    addEventListener(type: string, listener: (event: never) => void) {
      if (type === 'close') socket.on('close', () => listener({} as never));
      if (type !== 'message') return;
      socket.on('message', (data: RawData, isBinary: boolean) => {
        if (isRefused) return;
        if (isBinary) return refuse('binary');
        const text = String(data);
        if (!isCallMessage(text)) return refuse('not a call');
        listener({ data: text } as never);
      });
    },
  } as Pick<WebSocket, 'addEventListener' | 'send'>);
}
