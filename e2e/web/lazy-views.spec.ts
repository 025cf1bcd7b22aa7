import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import { cellOf, dialog, notebook, openNotebook, openWindow, study } from './support/window.ts';

const NOTICES = '**/assets/dist-*.js';
const CODE = '**/assets/settings-dialog-*.js';
/** Matches the code of every view except the one that a window shows first. */
const OF_OTHER_VIEWS =
  /\/assets\/(?!welcome-)(?:[a-z-]+-(?:dialog|panel|screen)|cell-details|code-editor|diff-view|series-lines)-/;

test.describe('the code of a dialog that nobody has opened', () => {
  test.describe('in a browser like any other', () => {
    test.use({ preloads: true });

    test('is fetched while the page has nothing else to do', async ({ page, serve }) => {
      const code = page.waitForResponse(CODE);
      await openWindow(page, await serve());
      expect((await code).ok()).toBe(true);
    });
  });

  test('is not fetched where the browser saves data', async ({ page, serve }) => {
    const fetched: string[] = [];
    page.on('request', request => fetched.push(request.url()));
    await openWindow(page, await serve());
    // Idle callbacks run in the order of their requests, and the window requested its own before this one.
    await page.evaluate(() => new Promise<void>(resolve => requestIdleCallback(() => resolve())));
    await page.waitForLoadState('networkidle');
    expect(fetched).toContainEqual(expect.stringMatching(/\/assets\/welcome-screen-/));
    expect(fetched.filter(url => OF_OTHER_VIEWS.test(url))).toEqual([]);
  });
});

test('a dialog whose code cannot be fetched says so, and opens when it can', async ({ page, serve }) => {
  await page.route(CODE, route => route.abort('connectionrefused'));
  await openWindow(page, await serve());
  await page.getByRole('button', { name: 'Settings' }).click();
  const notice = page.getByRole('alert').filter({ hasText: 'could not be loaded' });
  await expect(notice).toBeVisible();
  await notice.getByRole('button', { name: 'Close' }).click();
  await expect(notice).toBeHidden();
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(notice).toBeVisible();
  await page.unroute(CODE);
  await notice.getByRole('button', { name: 'Try again' }).click();
  await expect(dialog(page, 'Settings')).toBeVisible();
  await expect(notice).toBeHidden();
});

test('a window whose server was replaced by another version can be reloaded where its code is missing', async ({
  page,
  serve,
}) => {
  await page.route(CODE, route => route.abort('connectionrefused'));
  await openWindow(page, await serve());
  await page.getByRole('button', { name: 'Settings' }).click();
  const notice = page.getByRole('alert').filter({ hasText: 'could not be loaded' });
  await expect(notice).toContainText('reload the window');
  await look(page, 'code-missing');
  await page.unroute(CODE);
  await notice.getByRole('button', { name: 'Reload' }).click();
  await expect(notice).toBeHidden();
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(dialog(page, 'Settings')).toBeVisible();
});

test('a part of the window whose code is missing says so in its place', async ({ page, night }) => {
  const code = '**/assets/table-screen-*.js';
  await page.route(code, route => route.abort('connectionrefused'));
  await openNotebook(page, night.server, NIGHT_TAG);
  await study(page).tab('Table').click();
  const notice = page.getByRole('alert').filter({ hasText: 'could not be loaded' });
  await expect(notice).toBeVisible();
  await look(page, 'view-missing');
  await page.unroute(code);
  await notice.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('grid')).toBeVisible();
});

test('a page whose window cannot be loaded says so, and reloads it', async ({ page, serve }) => {
  const code = '**/assets/window-*.js';
  await page.route(code, route => route.abort('connectionrefused'));
  await page.goto((await serve()).url);
  await expect(page.getByRole('heading', { name: 'Pawl’s window could not be loaded' })).toBeVisible();
  await look(page, 'window-missing');
  await page.unroute(code);
  await page.getByRole('button', { name: 'Reload' }).click();
  await expect(page.getByRole('navigation', { name: 'Projects and studies' })).toBeVisible();
});

test('notices whose code cannot be fetched are a fault that the window shows', async ({ page, night }) => {
  await page.route(NOTICES, route => route.abort('connectionrefused'));
  await openNotebook(page, night.server, NIGHT_TAG);
  const notice = page.getByRole('alert').filter({ hasText: 'could not be loaded' });
  await expect(notice).toBeInViewport();
  // What is told meanwhile is no uncaught error, which the page's fixture would report.
  const goNowhere = () =>
    page.evaluate(() => {
      location.hash = '#/garden';
    });
  await goNowhere();
  await expect(page).toHaveURL(/#\/study\//);
  await page.unroute(NOTICES);
  await notice.getByRole('button', { name: 'Try again' }).click();
  await expect(notice).toBeHidden();
  await goNowhere();
  await expect(page.getByText('Nothing in Pawl has the address #/garden.')).toBeVisible();
});

for (const width of [700, 1280]) {
  test(`at ${width} px the cells come before the chart, take keys, and stay in place when it comes`, async ({
    page,
    night,
  }) => {
    const { promise: mayCome, resolve: letCome } = Promise.withResolvers<void>();
    await page.route('**/assets/chart-panel-*.js', async route => {
      await mayCome;
      await route.continue();
    });
    await openNotebook(page, night.server, NIGHT_TAG);
    await page.setViewportSize({ width, height: 800 });
    const newest = cellOf(page, 13).region;
    await page.keyboard.press('j');
    await expect(newest).toHaveClass(/border-accent/);
    await expect(notebook(page).chart).toBeHidden();
    const before = await newest.boundingBox();
    letCome();
    await expect(notebook(page).chart).toBeVisible();
    expect(await newest.boundingBox()).toEqual(before);
  });
}
