import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import { violations } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import { takePicture } from './support/pictures.ts';
import { notebook, openNotebook, runCommand, sidebar } from './support/window.ts';

test.beforeEach(({ page, night }) => openNotebook(page, night.server, NIGHT_TAG));

test('the chart shows the frontier by its list, a key or the palette, and still does after a reload', async ({
  page,
}) => {
  const { chart, range, list } = notebook(page);
  const drawn = chart.locator('svg').first();
  await expect(range).toHaveText('All');
  const whole = (await drawn.textContent()) ?? '';
  await choose(range, 'Frontier');
  await expect(drawn).not.toHaveText(whole);
  const frontier = (await drawn.textContent()) ?? '';
  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  await expect(range).toHaveText('Frontier');
  await expect(drawn).toHaveText(frontier);
  await page.keyboard.press('a');
  await expect(drawn).toHaveText(whole);
  await page.keyboard.press('f');
  await expect(drawn).toHaveText(frontier);
  // Whoever moves it by hand has a range of their own.
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(range).toHaveText('Zoomed');
  await runCommand(page, 'all experiments', 'Chart: all experiments');
  await expect(range).toHaveText('All');
  // From elsewhere a key brings the chart with it.
  await page.keyboard.press('3');
  await expect(list).toBeHidden();
  await page.keyboard.press('f');
  await expect(range).toHaveText('Frontier');
});

test('distances to the best are shown on a logarithmic scale, and that is kept', async ({ page }) => {
  const { chart, log } = notebook(page);
  const drawn = chart.locator('svg').first();
  await expect(log).toHaveAttribute('aria-pressed', 'false');
  await log.press('Enter');
  await expect(log).toHaveAttribute('aria-pressed', 'true');
  await expect(drawn).toContainText('log distance to the best');
  await expect(drawn).toContainText('+0.01');
  await takePicture(page, 'chart-log');
  expect(await violations(page, [])).toEqual([]);
  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  await expect(drawn).toContainText('log distance to the best');
  await page.keyboard.press('y');
  await expect(drawn).not.toContainText('log distance');
});

test('what the filter leaves out of the list is faint in the chart, and has no name there', async ({
  page,
}) => {
  const { chart, verdict, search } = notebook(page);
  await expect(chart).toContainText('Double the learning rate to 0.04');
  const dots = chart.locator('path[d*="h0"]');
  const faint = chart.locator('g[opacity="0.5"] path');
  await expect(faint).toHaveCount(0);
  const before = await dots.count();
  await verdict('discard').click();
  await expect(faint).not.toHaveCount(0);
  await expect(chart).not.toContainText('Double the learning rate to 0.04');
  await takePicture(page, 'chart-filtered');
  await verdict('discard').click();
  await search.fill('Double');
  await expect(chart).toContainText('Double the learning rate to 0.04');
  await expect(faint).not.toHaveCount(0);
  await search.fill('');
  await expect(faint).toHaveCount(0);
  await expect(dots).toHaveCount(before);
});

test('what an older window has left is shown as it was', async ({ page }) => {
  // Only what was looked at in another way than at first is kept.
  await notebook(page).axis('By time').click();
  await page.evaluate(() => {
    const views = JSON.parse(localStorage.getItem('pawl.views') ?? '[]') as [string, { chart: object }][];
    for (const [, view] of views) view.chart = { axis: 'kept', x: null, y: null };
    localStorage.setItem('pawl.views', JSON.stringify(views));
  });
  const { axis, range } = notebook(page);
  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  await expect(axis('Kept only')).toHaveAttribute('aria-pressed', 'true');
  await expect(range).toHaveText('All');
});
