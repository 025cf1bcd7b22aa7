import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenLocally } from './listen-locally.ts';

type Received = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** A server on this machine that accepts posts. It answers with `answers` in order, then with 200. */
export async function openReceiver(answers: readonly Answer[] = []) {
  const received: Received[] = [];
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const rest = [...answers];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    received.push({ path: request.url ?? '', headers: request.headers, body });
    const { status, headers, body: answer } = rest.shift() ?? { status: 200, body: 'ok' };
    response.writeHead(status, headers).end(answer);
    for (const { resolve } of waiting.filter(({ count }) => received.length >= count)) resolve();
    waiting = waiting.filter(({ count }) => received.length < count);
  });
  const { url, close } = await listenLocally(server);
  return {
    ...{ url, received },
    /** Resolves once this many posts have arrived. */
    until: (count: number) =>
      received.length >= count
        ? Promise.resolve()
        : new Promise<void>(resolve => waiting.push({ count, resolve })),
    close,
  };
}
