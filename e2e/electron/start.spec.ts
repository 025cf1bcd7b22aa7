import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from './app.ts';
import { ask } from './calls.ts';
import { expect, loadedPage, logOf, openDialogs, test } from './fixtures.ts';
import { newStudy, openSample, pause, welcome } from './selectors.ts';
import { startStudy } from './study.ts';

type WindowView = {
  readonly isVisible: boolean;
  readonly isMaximized: boolean;
  readonly bounds: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
  readonly url: string;
};

test('the app opens one window on its own page', async ({ app, page }) => {
  await expect(page).toHaveTitle(/Pawl/);
  await expect(welcome(page)).toBeVisible();
  await expect(openSample(page)).toBeVisible();
  const windows = await app.probe<readonly WindowView[]>('windows');
  expect(windows).toHaveLength(1);
  expect(windows[0]).toMatchObject({ isVisible: true, url: 'pawl://app/' });
});

test('the page has the bridge and nothing else of the machine', async ({ page }) => {
  const found = await page.evaluate(() => {
    const world = window as unknown as Record<string, unknown>;
    const bridge = world.pawl as Record<string, unknown>;
    return {
      bridge: Object.keys(bridge).sort(),
      host: bridge.host,
      leaks: ['require', 'process', 'module', 'Buffer', 'global'].filter(name => name in world),
      canBeReplaced: Reflect.set(world, 'pawl', null) && world.pawl === null,
    };
  });
  expect(found).toEqual({
    bridge: ['host', 'onOpen', 'onOpenPath', 'pathOfFile'],
    host: 'desktop',
    leaks: [],
    canBeReplaced: false,
  });
});

test('calls are answered over a port', async ({ app, page }) => {
  expect(await ask(page, 'app/ping')).toBe('pong');
  expect(await ask(page, 'app/info')).toMatchObject({
    host: 'desktop',
    home: app.home,
    canChooseFolder: true,
    hasNotifications: true,
  });
});

test('the sample project opens, made from what was built', async ({ app, page }) => {
  await openSample(page).click();
  await expect(newStudy(page, 'byte-lm')).toBeVisible();
  expect(existsSync(join(app.home, 'samples', 'byte-lm', 'train.py'))).toBe(true);
});

test('a study that runs shows in the window', async ({ page, bench }) => {
  await bench.set('hold');
  await startStudy(page, bench, 1);
  await page.getByRole('button', { name: /^night/ }).click();
  await expect(pause(page)).toBeVisible();
});

test('the folder dialog gives the path, and null when it is closed', async ({ app, page }) => {
  const chosen = ask(page, 'projects/choose');
  await expect.poll(() => openDialogs(app)).toHaveLength(1);
  await app.probe('answerOpenDialog', '/somewhere');
  expect(await chosen).toBe('/somewhere');
  const closed = ask(page, 'projects/choose');
  await expect.poll(() => openDialogs(app)).toHaveLength(1);
  await app.probe('answerOpenDialog', null);
  expect(await closed).toBeNull();
});

test('the window opens where it was closed', async ({ start }) => {
  const bounds = { x: 100, y: 140, width: 1000, height: 700 };
  const first = await start();
  await loadedPage(first);
  await first.probe('setBounds', bounds);
  await first.probe('quit');
  expect(await first.ended).toBe(0);
  const second = await start({ home: first.home });
  await loadedPage(second);
  const [window] = await second.probe<readonly WindowView[]>('windows');
  expect(window?.bounds).toEqual(bounds);
});

test('a page that crashes is loaded again, and the study goes on', async ({ app, page, bench }) => {
  await bench.set('hold');
  const study = await startStudy(page, bench, 1);
  await crashAndComeBack(app, 1);
  const again = await loadedPage(app);
  const studies = async () =>
    (await ask<{ studies: { id: string; state: string }[] }>(again, 'app/snapshot')).studies;
  await expect.poll(studies).toMatchObject([{ id: study.id, state: 'running' }]);
});

test('a page that crashes again and again is left to the user', async ({ app, page }) => {
  await page.waitForLoadState();
  for (const crash of [1, 2, 3]) await crashAndComeBack(app, crash);
  await app.probe('crash');
  await expect.poll(() => openDialogs(app)).toMatchObject([{ message: expect.stringContaining('crashed') }]);
  await app.probe('answerMessageBox', 0);
  await comeBack(app);
});

test('the system stays awake while something trains, and only then', async ({ app, page, bench }) => {
  expect(await app.probe('sleepBlocks')).toEqual([]);
  await bench.set('hold');
  const study = await startStudy(page, bench, 2);
  await expect.poll(() => app.probe('sleepBlocks')).toEqual(['prevent-app-suspension']);
  await ask(page, 'studies/request', { study: study.id, kind: 'pause' });
  await bench.unset('hold');
  await expect.poll(() => app.probe('sleepBlocks')).toEqual([]);
  await bench.set('hold');
  await ask(page, 'studies/request', { study: study.id, kind: 'continue' });
  await expect.poll(() => app.probe('sleepBlocks')).toEqual(['prevent-app-suspension']);
  await bench.unset('hold');
  await expect.poll(() => app.probe('sleepBlocks')).toEqual([]);
});

/** Crashes the page for the `count`th time, and waits until it is loaded again. */
async function crashAndComeBack(app: App, count: number): Promise<void> {
  await app.probe('crash');
  await expect
    .poll(async () => (await logOf(app)).filter(line => line === 'the page is gone'))
    .toHaveLength(count);
  await comeBack(app);
}

async function comeBack(app: App): Promise<void> {
  await expect
    .poll(() => app.probe('evaluate', '"pawl" in window && document.readyState').catch(() => 'crashed'))
    .toBe('complete');
}
