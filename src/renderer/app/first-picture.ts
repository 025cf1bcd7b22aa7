import type { Client, Connection, Host } from '../host/host.ts';
import { lastStudy } from './browser-store.ts';

/** What the window shows first: about the host, and the state of everything, with the cells of one study. */
type Picture = Awaited<ReturnType<typeof askForPicture>>;

/** A connection on which the picture has been asked for already. */
export type FirstConnection = Connection & { readonly picture: Promise<Picture> };

/** @param study whose newest cells to bring along; null for none */
export function askForPicture({ app }: Client, study: string | null) {
  return Promise.all([app.info(), app.snapshot(study === null ? undefined : { study })]);
}

/** Connects and asks for the picture, while the script that shows it is still on its way. */
export function askAhead(host: Host): Promise<FirstConnection> {
  const first = host.connect().then(connection => {
    const picture = askForPicture(connection.client, lastStudy());
    // Whoever awaits it is told; nobody may be awaiting it yet.
    picture.catch(() => {});
    return { ...connection, picture };
  });
  first.catch(() => {});
  return first;
}
