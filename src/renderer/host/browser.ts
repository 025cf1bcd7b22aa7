import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { type Client, ConnectionError, type Host } from './host.ts';

const TOKEN_KEY = 'pawl.token';

/** Removes the token from the address, so that it is in no history, and keeps it for reloads of this tab. */
function takeToken(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  sessionStorage.setItem(TOKEN_KEY, token);
  history.replaceState(null, '', location.pathname);
}

/** Null if there is no connection. A browser does not say why. */
async function openSocket(): Promise<WebSocket | null> {
  const token = sessionStorage.getItem(TOKEN_KEY) ?? 'none';
  const socket = new WebSocket(`ws://${location.host}/calls`, ['pawl', `token.${token}`]);
  const isOpen = await new Promise<boolean>(resolve => {
    socket.addEventListener('open', () => resolve(true), { once: true });
    socket.addEventListener('close', () => resolve(false), { once: true });
  });
  return isOpen ? socket : null;
}

function isServerThere(): Promise<boolean> {
  return fetch('./', { method: 'HEAD', cache: 'no-store' }).then(
    response => response.ok,
    () => false,
  );
}

/** Throws `ConnectionError`. */
async function reachServer(): Promise<WebSocket> {
  const first = await openSocket();
  if (first) return first;
  if (!(await isServerThere())) throw new ConnectionError('unreachable');
  // The server may have started just after the first try; only a second failure means that it refuses.
  const second = await openSocket();
  if (second) return second;
  throw new ConnectionError('refused');
}

/** The host for a browser at the address from `pawl serve`. */
export function browserHost(): Host {
  takeToken();
  return {
    async connect() {
      const socket = await reachServer();
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
