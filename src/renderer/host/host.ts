import type { ContractRouterClient } from '@orpc/contract';
import type { calls } from '../../shared/calls/calls.ts';

/** Every call of the contract as a function. */
export type Client = ContractRouterClient<typeof calls>;

export type Connection = {
  readonly client: Client;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
};

/** The error of a failed connection. */
export class ConnectionError extends Error {
  /** `unreachable`: no answer, so try again. `refused`: the server does not accept this window. */
  readonly kind: 'unreachable' | 'refused';

  constructor(kind: ConnectionError['kind']) {
    super(kind);
    this.name = 'ConnectionError';
    this.kind = kind;
  }
}

/** The differences between the desktop app and a browser. One file per host; `main.ts` chooses. */
export type Host = {
  /** Rejects with `ConnectionError`. */
  connect(): Promise<Connection>;
  /** Absolute path of a dropped or chosen file; null if the host does not reveal it. */
  pathOfFile(file: File): string | null;
  /** The host asks to show an experiment (after a click on a notification). */
  onOpen(listener: (target: { readonly study: string; readonly n: number | null }) => void): () => void;
  /** The host asks to open a folder (a second start with a path, or one dropped on the icon). */
  onOpenPath(listener: (path: string) => void): () => void;
  /** Notifies the user while the window may be hidden, unless the host itself does. */
  notify(title: string, body: string, onClick: () => void): void;
  /** Null if no permission is needed. */
  readonly askForNotifications: (() => Promise<boolean>) | null;
  /** Accepts the address or token of a new start; null if the host has none. */
  readonly useAddress: ((text: string) => void) | null;
};
