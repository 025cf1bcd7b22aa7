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

/** Marks a test of an essential feature. `npm test` runs these tests; `npm run test:real` runs the others. */
export const CORE = { tag: '@core' };

/** The browser logs this by itself while the server is gone or has another token. */
const LOST_CONNECTION = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;

type Fixtures = {
  /** Whether pages fetch the code of views before showing them, as they do for users. */
  readonly preloads: boolean;
  /** A new, empty data folder. */
  readonly home: string;
  /** Starts a server. All servers end with the test. */
  readonly serve: (options?: Partial<ServerOptions>) => Promise<Server>;
  /** Creates a bench. All benches are removed after the test. */
  readonly makeBench: (options?: BenchOptions) => Promise<Bench>;
  /** Starts a server that answers as a model would. All servers end with the test. */
  readonly answer: (reply: Script) => Promise<RunningModelServer>;
  /** A bench whose proposer changes only the seed. */
  readonly bench: Bench;
};

type WorkerFixtures = {
  /** A finished study. Tests may add to it, but must not start or stop anything. */
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
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture names from the pattern
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
  // Loading the code of views that a test never shows would take as long as loading everything else.
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
  // Depending on `home` and `makeBench` makes the servers end before those folders are removed.
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
  // Depending on `serve` closes the page before the servers end, so none of its idle requests fail.
  page: async ({ page, serve: _ }, use) => {
    const complaints = listen(page);
    await use(page);
    expect(complaints, 'what the page complained of').toEqual([]);
  },
});

/** Runs in a page and makes its browser claim that the user wants to save data. */
function saveData(): void {
  const { connection } = navigator as Navigator & { readonly connection?: object };
  if (connection) Object.defineProperty(connection, 'saveData', { value: true });
}

/** Collects the page's uncaught errors and the errors and warnings in its console. */
function listen(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(String(error.stack)));
  page.on('console', (message: ConsoleMessage) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!LOST_CONNECTION.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}
