import { rm } from 'node:fs/promises';
import { test as base, type ConsoleMessage, expect, type Page } from '@playwright/test';
import { TEST_LIMIT_MS } from '../../../test/support/clock.ts';
import {
  type RunningModelServer,
  type Script,
  startModelServer,
} from '../../../test/support/model-server.ts';
import { Bench, type BenchOptions, temporaryFolder } from './bench.ts';
import { endNight, type Night, startNight } from './night.ts';
import { Server, type ServerOptions } from './server.ts';

export { expect };

/** Of a spec that shows what nobody could do without; `npm test` runs those, `npm run test:real` the others. */
export const CORE = { tag: '@core' };

/** What a browser says by itself while a server is away, or has another token. */
const LOST_CONNECTION = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;

type Fixtures = {
  /** Whether pages fetch the code of views before they are shown, as they do for users. */
  readonly preloads: boolean;
  /** A data folder of its own, empty at first. */
  readonly home: string;
  /** Starts servers; all end with the test. */
  readonly serve: (options?: Partial<ServerOptions>) => Promise<Server>;
  /** Makes repositories; all go with the test. */
  readonly makeBench: (options?: BenchOptions) => Promise<Bench>;
  /** Starts servers that answer as models do; all end with the test. */
  readonly answer: (reply: Script) => Promise<RunningModelServer>;
  /** A repository whose proposer changes the seed for ever. */
  readonly bench: Bench;
};

type WorkerFixtures = {
  /** A study that is over; tests may add to it, but start and stop nothing. */
  readonly night: Night;
};

export const test = base.extend<Fixtures, WorkerFixtures>({
  night: [
    async ({ browser }, use) => {
      const night = await startNight(browser);
      await use(night);
      await endNight(night);
    },
    { scope: 'worker', timeout: TEST_LIMIT_MS },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names out of the pattern
  home: async ({}, use) => {
    const home = await temporaryFolder('home');
    await use(home);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  },
  // biome-ignore lint/correctness/noEmptyPattern: see above
  makeBench: async ({}, use) => {
    const benches: Bench[] = [];
    await use(async options => {
      const bench = await Bench.make(options);
      benches.push(bench);
      return bench;
    });
    for (const bench of benches) await bench.remove();
  },
  bench: async ({ makeBench }, use) => use(await makeBench()),
  preloads: [false, { option: true }],
  // The code of views that a test never shows takes as long to load as all else of a page.
  context: async ({ context, preloads }, use) => {
    if (!preloads) await context.addInitScript(saveData);
    await use(context);
  },
  // biome-ignore lint/correctness/noEmptyPattern: see above
  answer: async ({}, use) => {
    const servers: RunningModelServer[] = [];
    await use(async reply => {
      const server = await startModelServer(reply);
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.close();
  },
  // Before `home` and the benches go, their servers must have ended: this fixture depends on both.
  serve: async ({ home, makeBench: _ }, use, info) => {
    const servers: Server[] = [];
    await use(async options => {
      const server = await Server.start({ home, ...options });
      servers.push(server);
      return server;
    });
    for (const server of servers) {
      await server.stop();
      if (info.status !== info.expectedStatus) {
        await info.attach('pawl serve', { body: server.output, contentType: 'text/plain' });
      }
    }
  },
  // The page goes before the servers do: what it loads while it is idle would meet their end.
  page: async ({ page, serve: _ }, use) => {
    const complaints = listen(page);
    await use(page);
    expect(complaints, 'what the page complained of').toEqual([]);
  },
});

/** In a page: as in a browser that is asked to save data. */
function saveData(): void {
  const { connection } = navigator as Navigator & { readonly connection?: object };
  if (connection) Object.defineProperty(connection, 'saveData', { value: true });
}

/** Errors of the page: what it throws, and what the browser writes to its console. */
export function listen(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(String(error.stack)));
  page.on('console', (message: ConsoleMessage) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!LOST_CONNECTION.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}
