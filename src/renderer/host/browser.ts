import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { type Client, ConnectionError, type Host } from './host.ts';

const TOKEN_KEY = 'pawl.token';

/** Takes the token out of the address, so that it is in no history, and keeps it for reloads of this tab. */
function takeToken(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  sessionStorage.setItem(TOKEN_KEY, token);
  history.replaceState(null, '', location.pathname);
}

async function openSocket(): Promise<WebSocket> {
  const token = sessionStorage.getItem(TOKEN_KEY) ?? 'none';
  const socket = new WebSocket(`ws://${location.host}/calls`, ['pawl', `token.${token}`]);
  const isOpen = await new Promise<boolean>(resolve => {
    socket.addEventListener('open', () => resolve(true), { once: true });
    socket.addEventListener('close', () => resolve(false), { once: true });
  });
  if (isOpen) return socket;
  // A browser does not say why a WebSocket failed; whether the server is there at all tells the two apart.
  const isThere = await fetch('./', { method: 'HEAD', cache: 'no-store' }).then(
    response => response.ok,
    () => false,
  );
  throw new ConnectionError(isThere ? 'refused' : 'unreachable');
}

/** A browser on the address `pawl serve` printed. */
export function browserHost(): Host {
  takeToken();
  return {
    async connect() {
      const socket = await openSocket();
      const client: Client = createORPCClient(new RPCLink({ websocket: socket }));
      const closed = new Promise<void>(resolve => {
        socket.addEventListener('close', () => resolve(), { once: true });
      });
      return { client, closed };
    },
    pathOfFile: () => null,
    onOpen: () => () => {},
    onOpenPath: () => () => {},
    notify(title, body, onClick) {
      if (!('Notification' in window) || Notification.permission !== 'granted') return;
      const notification = new Notification(title, { body });
      notification.onclick = () => {
        window.focus();
        notification.close();
        onClick();
      };
    },
    askForNotifications:
      'Notification' in window ? async () => (await Notification.requestPermission()) === 'granted' : null,
    useAddress(text) {
      const token = /token=([\w-]+)/.exec(text)?.[1] ?? text.trim();
      sessionStorage.setItem(TOKEN_KEY, token);
    },
  };
}
