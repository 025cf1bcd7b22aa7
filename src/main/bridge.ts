import { RPCHandler } from '@orpc/server/message-port';
import { ipcMain, type MessagePortMain } from 'electron';
import type { Logger } from 'pino';
import { isCallMessage } from '../engine/api/call-envelope.ts';
import type { PawlRouter } from '../engine/api/router.ts';
import { CHANNELS } from '../shared/desktop-bridge.ts';
import { refuseSender } from './sender.ts';

/**
 * Connects the window's page to the calls: the page sends one end of a message channel and keeps the other. A
 * reloaded page sends a new one; ports of pages that are gone close by themselves.
 */
export function serveCalls(
  router: PawlRouter,
  isOurWindow: (contents: object) => boolean,
  log: Logger,
): void {
  const handler = new RPCHandler(router);
  ipcMain.on(CHANNELS.connect, (event, message: unknown) => {
    const { ports, senderFrame } = event;
    const [port] = ports;
    const why =
      refuseSender(senderFrame, isOurWindow(event.sender)) ??
      (message !== null || port === undefined || ports.length !== 1 ? 'malformed' : null);
    if (why !== null || port === undefined) {
      log.warn({ url: senderFrame?.url.slice(0, 200) }, `connection refused: ${why}`);
      for (const given of ports) given.close();
      return;
    }
    carryCalls(handler, port, log);
  });
}

function carryCalls(handler: RPCHandler<Record<never, never>>, port: MessagePortMain, log: Logger): void {
  handler.upgrade({
    postMessage: (data: unknown) => port.postMessage(data),
    on(type, listener) {
      if (type === 'close') port.on('close', () => listener());
      if (type !== 'message') return;
      port.on('message', ({ data }) => {
        // Only messages that look like a call reach the handler.
        if (isCallMessage(data)) listener({ data });
        else {
          log.warn('message refused: not a call');
          port.close();
        }
      });
    },
  });
  port.start();
}
