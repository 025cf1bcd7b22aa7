import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { CONNECT_MESSAGE, type DesktopBridge } from '../../shared/desktop-bridge.ts';
import type { Client, Host } from './host.ts';

/** The host for the desktop app's window: calls go through a message port to the main process. */
export function desktopHost(bridge: DesktopBridge<File>): Host {
  return {
    async connect() {
      const { port1, port2 } = new MessageChannel();
      const client: Client = createORPCClient(new RPCLink({ port: port1 }));
      const closed = new Promise<void>(resolve => port1.addEventListener('close', () => resolve()));
      port1.start();
      window.postMessage({ type: CONNECT_MESSAGE }, location.origin, [port2]);
      return { client, closed };
    },
    pathOfFile: file => bridge.pathOfFile(file) || null,
    onOpen: listener => bridge.onOpen(listener),
    onOpenPath: listener => bridge.onOpenPath(listener),
    // The main process shows system notifications.
    notify: () => {},
    askForNotifications: null,
    useAddress: null,
  };
}
