/**
 * What the desktop's preload adds to the page: `window.pawl`. It exists only in the desktop host.
 *
 * Calls and events use a message port instead, which cannot cross the bridge. The page makes a `MessageChannel`,
 * keeps `port1` and hands over the other end:
 *
 *     window.postMessage({ type: CONNECT_MESSAGE }, location.origin, [channel.port2]);
 *
 * `DroppedFile` is the DOM's `File`, a type that this layer does not have.
 */
export type DesktopBridge<DroppedFile> = {
  readonly host: 'desktop';
  /** Path of a file or folder that the user dropped on the window; empty if it is not on the disk. */
  pathOfFile(file: DroppedFile): string;
  /**
   * Called with what to show after a click on a notification or in the tray. Returns a function that removes the
   * listener.
   */
  onOpen(listener: (target: OpenTarget) => void): () => void;
  /** Called with a folder that was passed to the app from outside. Returns a function that removes the listener. */
  onOpenPath(listener: (path: string) => void): () => void;
};

/** A study, or one experiment of it. */
export type OpenTarget = { readonly study: string; readonly n: number | null };

/** Type of the window message that carries a port from the page to the preload. */
export const CONNECT_MESSAGE = 'pawl:connect';

/** Names of the channels between preload and main process; nothing else goes over `ipcRenderer`. */
export const CHANNELS = { connect: 'pawl:connect', open: 'pawl:open', openPath: 'pawl:open-path' } as const;
