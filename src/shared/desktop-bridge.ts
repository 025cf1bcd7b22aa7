/**
 * What the desktop's preload adds to the page: `window.pawl`. It is there in the desktop host only.
 *
 * Calls and events do not go through it but over a message port, which cannot cross the bridge. The page makes a
 * `MessageChannel`, keeps `port1` and hands over the other end:
 *
 *     window.postMessage({ type: CONNECT_MESSAGE }, location.origin, [channel.port2]);
 *
 * `DroppedFile` is the DOM's `File`, which this layer does not know.
 */
export type DesktopBridge<DroppedFile> = {
  readonly host: 'desktop';
  /** Path of a file or folder the user dropped on the window; empty for a file that is not on the disk. */
  pathOfFile(file: DroppedFile): string;
  /** What a click on a notification or in the tray wants to be shown. Returns the function that ends it. */
  onOpen(listener: (target: OpenTarget) => void): () => void;
  /** A folder that was handed to the app from outside. Returns the function that ends it. */
  onOpenPath(listener: (path: string) => void): () => void;
};

/** A study, or one experiment of it. */
export type OpenTarget = { readonly study: string; readonly n: number | null };

/** Type of the window message that carries a port from the page to the preload. */
export const CONNECT_MESSAGE = 'pawl:connect';

/** Names of the channels between preload and main process; nothing else goes over `ipcRenderer`. */
export const CHANNELS = { connect: 'pawl:connect', open: 'pawl:open', openPath: 'pawl:open-path' } as const;
