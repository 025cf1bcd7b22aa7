import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
import { type App, type AppOptions, type DialogView, startApp, type TrayView } from './app.ts';
import { type Bench, makeBench } from './study.ts';

export { expect };

type Fixtures = {
  /** A running app. */
  readonly app: App;
  readonly page: Page;
  readonly bench: Bench;
  /** Starts another app. All apps end with the test. */
  readonly start: (options?: AppOptions) => Promise<App>;
};

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture names from the pattern
  start: async ({}, use, info) => {
    const apps: App[] = [];
    await use(async options => {
      const app = await startApp(options);
      apps.push(app);
      return app;
    });
    for (const app of apps) {
      if (info.status !== info.expectedStatus) {
        const log = await readFile(join(app.home, 'logs', 'desktop.log'), 'utf8').catch(() => 'no log');
        await info.attach('desktop.log', { body: log, contentType: 'text/plain' });
      }
      await app.close();
    }
  },
  app: async ({ start }, use) => use(await start()),
  page: async ({ app }, use) => use(await loadedPage(app)),
  // biome-ignore lint/correctness/noEmptyPattern: see above
  bench: async ({}, use) => {
    const bench = await makeBench();
    await use(bench);
    await bench.remove();
  },
});

/** Waits until the scripts of the window's page have run, and returns the page. */
export async function loadedPage(app: App): Promise<Page> {
  const page = await app.page();
  await page.waitForFunction(() => document.readyState === 'complete' && 'pawl' in window);
  return page;
}

export function trayOf(app: App): Promise<TrayView> {
  return app.probe<TrayView>('tray');
}

/** Returns the name of the icon that the tray shows. */
export async function trayIcon(app: App): Promise<string> {
  return /tray-(\w+)-\d+\.png$/.exec((await trayOf(app)).icon)?.[1] ?? '';
}

export async function trayLabels(app: App): Promise<readonly string[]> {
  return (await trayOf(app)).items.map(item => item.label);
}

export async function openDialogs(app: App): Promise<readonly DialogView[]> {
  return (await app.probe<readonly DialogView[]>('dialogs')).filter(dialog => dialog.isOpen);
}

/** Returns the messages in the app's log, one for each line. */
export async function logOf(app: App): Promise<readonly string[]> {
  const text = await readFile(join(app.home, 'logs', 'desktop.log'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => (JSON.parse(line) as { msg: string }).msg);
}

/** Records what the page is told to show. {@link opened} returns the record. */
export async function listenForOpen(page: Page): Promise<void> {
  await page.evaluate(() => {
    const world = window as unknown as {
      opened: unknown[];
      pawl: {
        onOpen(listener: (target: unknown) => void): void;
        onOpenPath(listener: (path: string) => void): void;
      };
    };
    world.opened = [];
    world.pawl.onOpen(target => world.opened.push(target));
    world.pawl.onOpenPath(path => world.opened.push(path));
  });
}

export function opened(page: Page): Promise<unknown[]> {
  return page.evaluate(() => (window as unknown as { opened: unknown[] }).opened);
}
