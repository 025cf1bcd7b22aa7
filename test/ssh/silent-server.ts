import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** How long ssh waits for a host that says nothing (`ConnectTimeout`). */
export const SSH_GIVES_UP_MS = 20_000;

/** Takes connections to a port, and says nothing, until it is ended or the test is over. */
export async function silentServer(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const end = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onTestFinished(end);
  return Object.assign(server, { end });
}
