import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from '@playwright/test';
import { pino } from 'pino';
import { findChromium } from '../e2e/chromium.ts';
import { createRouter } from '../src/engine/api/router.ts';
import { Service } from '../src/engine/api/service.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { makeDataFolder } from '../src/engine/store/engine-lock.ts';
import { startServer } from '../src/server/server.ts';
import { VERSION } from '../src/shared/version.ts';
import { fillBigLedger } from './big-ledger.ts';
import { type Line, printTable, quantile } from './report.ts';

const OWN = fileURLToPath(new URL('../out/renderer', import.meta.url));
/** A folder with another build of the window, loaded alternately with this one. */
const OTHER = process.env.PAWL_BENCH_OTHER_WINDOW;
const NIGHT = 400;
const YEAR = 10_000;
const LOADS = 15;
const MOST_SCRIPT_KB = 350;
const MOST_SHARE = 0.4;

type Load = {
  /** Milliseconds from the start of the load to the frame with the first cell. */
  readonly firstCell: number;
  /** Addresses of the scripts requested until then. */
  readonly scripts: readonly string[];
};

/** How soon an opened window shows its first cells, and how much script it loads until then. */
export async function benchFirstCells(): Promise<void> {
  const browser = await chromium.launch({
    executablePath: findChromium() ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    for (const count of [NIGHT, YEAR]) {
      printTable(`A window that is opened on ${count} experiments`, await measureLoads(browser, count));
    }
  } finally {
    await browser.close();
  }
}

async function measureLoads(browser: Browser, count: number): Promise<readonly Line[]> {
  const home = await mkdtemp(join(tmpdir(), 'pawl-bench-cells-'));
  const paths = dataPaths({ ...process.env, PAWL_HOME: home });
  makeDataFolder(paths);
  fillBigLedger(join(home, 'pawl.sqlite'), undefined, count);
  const service = await Service.open({
    paths,
    environment: process.env,
    host: {
      info: { host: 'browser', version: VERSION, canChooseFolder: false, hasNotifications: false },
      chooseFolder: null,
    },
    onError: error => console.error(error),
  });
  const serve = (folder: string) =>
    startServer({
      ...{ folder, port: 0, token: 'a-token-of-the-bench-and-of-nothing-else' },
      ...{ router: createRouter(service), log: pino({ level: 'silent' }) },
    });
  const servers = await Promise.all([OWN, ...(OTHER ? [OTHER] : [])].map(serve));
  try {
    const loads: Load[][] = servers.map(() => []);
    // Alternately, so that other load on the machine affects both alike.
    for (let round = 0; round < LOADS; round += 1) {
      for (const [index, { url }] of servers.entries()) loads[index]?.push(await load(browser, url));
    }
    const [own = [], other] = loads;
    return await report(count, own, other ?? null);
  } finally {
    for (const server of servers) await server.close();
    await service.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Marks the frame that shows the first cell as `first-cell`, by the time since the start of the load. */
export async function markFirstCell(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const watch = new MutationObserver(() => {
      if (!document.querySelector('article')) return;
      watch.disconnect();
      requestAnimationFrame(() => performance.mark('first-cell'));
    });
    watch.observe(document, { childList: true, subtree: true });
  });
}

/** In its own context: the cache is empty, as after a start of the app. */
async function load(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(() => localStorage.setItem('pawl.study', 'bench'));
    await markFirstCell(page);
    await page.goto(url);
    await page.waitForFunction(() => performance.getEntriesByName('first-cell').length > 0);
    return await page.evaluate(() => {
      const firstCell = performance.getEntriesByName('first-cell')[0]?.startTime ?? Number.NaN;
      const scripts = performance
        .getEntriesByType('resource')
        .filter(({ name, startTime }) => name.endsWith('.js') && startTime <= firstCell)
        .map(({ name }) => name);
      return { firstCell, scripts };
    });
  } finally {
    await context.close();
  }
}

async function report(count: number, own: readonly Load[], other: readonly Load[] | null): Promise<Line[]> {
  const median = (loads: readonly Load[]) =>
    quantile(
      loads.map(({ firstCell }) => firstCell),
      0.5,
    );
  const kilobytes = await gzippedKilobytes(own);
  const share = other && median(own) / median(other);
  return [
    {
      what: `first cells, median of ${LOADS} loads`,
      value: median(own),
      unit: 'ms',
      reference: other
        ? `the other build: ${median(other).toFixed(0)} ms${count === NIGHT ? `; at most ${MOST_SHARE} of it` : ''}`
        : 'PAWL_BENCH_OTHER_WINDOW names a build to compare with',
      ratio: share,
      isGood: share === null || count !== NIGHT ? null : share <= MOST_SHARE,
    },
    {
      what: 'script before the first cell, gzipped',
      value: kilobytes,
      unit: 'kB',
      reference: other
        ? `the other build: ${(await gzippedKilobytes(other)).toFixed(0)} kB; at most ${MOST_SCRIPT_KB} kB`
        : `at most ${MOST_SCRIPT_KB} kB`,
      ratio: null,
      isGood: kilobytes <= MOST_SCRIPT_KB,
    },
  ];
}

/** For the load that requested the most. */
async function gzippedKilobytes(loads: readonly Load[]): Promise<number> {
  const sizes = loads.map(async ({ scripts }) => {
    const bodies = scripts.map(async address => Buffer.from(await (await fetch(address)).arrayBuffer()));
    return (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  });
  return Math.max(...(await Promise.all(sizes))) / 1000;
}
