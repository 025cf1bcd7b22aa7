import type { ContractRouterClient } from '@orpc/contract';
import type { calls } from '../../shared/calls.ts';

/** Every call of the contract as a function. */
export type Client = ContractRouterClient<typeof calls>;

export type Connection = {
  readonly client: Client;
  /** Resolves when nothing more will come through it. */
  readonly closed: Promise<void>;
};

/** Why a connection could not be made. */
export class ConnectionError extends Error {
  /** `unreachable`: nobody answers, try again. `refused`: somebody answers and does not know this window. */
  readonly kind: 'unreachable' | 'refused';

  constructor(kind: ConnectionError['kind']) {
    super(kind);
    this.name = 'ConnectionError';
    this.kind = kind;
  }
}

/** What differs between the desktop app and a browser. One file per host; `main.tsx` chooses. */
export type Host = {
  /** Rejects with `ConnectionError`. */
  connect(): Promise<Connection>;
  /** Absolute path of a dropped or chosen file; null where the host does not tell. */
  pathOfFile(file: File): string | null;
  /** The host asks to show an experiment (a notification was clicked). */
  onOpen(listener: (target: { readonly study: string; readonly n: number | null }) => void): () => void;
  /** The host asks to open a folder (second start with a path, dropped on the icon). */
  onOpenPath(listener: (path: string) => void): () => void;
  /** Tells the user something while the window may be hidden, where the host's engine side does not. */
  notify(title: string, body: string, onClick: () => void): void;
  /** Null where there is nothing to ask for. */
  readonly askForNotifications: (() => Promise<boolean>) | null;
  /** Takes the address or token of a new start; null where there is none to take. */
  readonly useAddress: ((text: string) => void) | null;
};
