import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { CHANNELS, CONNECT_MESSAGE, type DesktopBridge } from '../shared/desktop-bridge.ts';

/**
 * Passes messages of the main process on `channel` to a listener; of those that arrive before there is one, keeps the
 * newest.
 */
function relay<T>(channel: string): (listener: (value: T) => void) => () => void {
  const listeners = new Set<(value: T) => void>();
  let waiting: { readonly value: T } | null = null;
  ipcRenderer.on(channel, (_event, value: T) => {
    if (listeners.size === 0) waiting = { value };
    for (const listener of listeners) listener(value);
  });
  return listener => {
    listeners.add(listener);
    if (waiting) listener(waiting.value);
    waiting = null;
    return () => {
      listeners.delete(listener);
    };
  };
}

// The main process answers only its own page; here it is enough to reject messages of other windows.
window.addEventListener('message', event => {
  const [port] = event.ports;
  if (event.source !== window || event.data?.type !== CONNECT_MESSAGE || !port) return;
  ipcRenderer.postMessage(CHANNELS.connect, null, [port]);
});

const bridge: DesktopBridge<File> = {
  host: 'desktop',
  pathOfFile: file => webUtils.getPathForFile(file),
  onOpen: relay(CHANNELS.open),
  onOpenPath: relay(CHANNELS.openPath),
};
contextBridge.exposeInMainWorld('pawl', bridge);
