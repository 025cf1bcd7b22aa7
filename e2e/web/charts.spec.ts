import type { Locator, Page } from '@playwright/test';
import { choose } from '../choose.ts';
import { pointsOnCurves } from './support/curves.ts';
import { expect, test } from './support/fixtures.ts';
import { violations } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, notebook, openCell, openNotebook, runCommand, sidebar, study } from './support/window.ts';

test.beforeEach(({ page, night }) => openNotebook(page, night.server, NIGHT_TAG));

test('the chart shows the frontier by its list, a key or the palette, and still does after a reload', async ({
  page,
}) => {
  const { chart, range, list } = notebook(page);
  const drawn = chart.locator('svg').first();
  await expect(range).toHaveText('All');
  // Its points come after the rest of the page.
  await expect(chart).toContainText('Double the learning rate to 0.04');
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
  // Moving the chart with the arrow keys gives it a custom range.
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(range).toHaveText('Zoomed');
  await runCommand(page, 'all experiments', 'Chart: all experiments');
  await expect(range).toHaveText('All');
  // On another tab, the key opens the notebook, where the chart is.
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
  await takePictures(page, 'chart-log');
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
  await takePictures(page, 'chart-filtered');
  await verdict('discard').click();
  await search.fill('Double');
  await expect(chart).toContainText('Double the learning rate to 0.04');
  await expect(faint).not.toHaveCount(0);
  await search.fill('');
  await expect(faint).toHaveCount(0);
  await expect(dots).toHaveCount(before);
});

test('what an older window has left is shown as it was', async ({ page }) => {
  // The window saves a view only if the user has changed it.
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

test('curves are smoothed, drawn on logarithmic axes and placed by tokens, and all that is kept', async ({
  page,
}) => {
  let cell = await openCell(page, 12, 'Curves');
  const chart = cell.region.getByRole('img', { name: 'loss of experiment 12', exact: true });
  const curves = chart.locator('path.recharts-curve');
  await expect(curves).toHaveCount(2);
  const slider = cell.region.getByRole('slider', { name: 'Smoothing' });
  await slider.focus();
  await page.keyboard.press('End');
  await expect(slider).toHaveValue('0.99');
  // Each smoothed line has a faint line with the original values.
  await expect(curves).toHaveCount(4);
  await choose(cell.region.getByLabel('Horizontal axis'), 'by tokens');
  await expect(chart).toContainText('tokens trained on');
  const axes = cell.region.getByRole('group', { name: 'Logarithmic axes' });
  for (const axis of ['Log y', 'Log x']) {
    const drawn = (await curves.last().getAttribute('d')) ?? '';
    await axes.getByRole('button', { name: axis }).press('Enter');
    await expect(curves.last()).not.toHaveAttribute('d', drawn);
  }
  await expect(curves).toHaveCount(4);
  const box = await chart.boundingBox();
  if (!box) throw new Error('the chart has no place');
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 80);
  // The tooltip shows the average and, in parentheses, the printed value.
  await expect(chart.locator('.shadow-float')).toContainText(/#12\s*[\d.]+ \([\d.]+\)/);
  await takePictures(page, 'curves-smoothed');
  await page.mouse.move(0, 0);
  expect(await violations(page, [])).toEqual([]);

  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  cell = cellOf(page, 12);
  await cell.tab('Curves').click();
  await expect(slider).toHaveValue('0.99');
  await expect(curves).toHaveCount(4);
  await expect(cell.region.getByLabel('Horizontal axis')).toHaveText('by tokens');
  await expect(axes.getByRole('button', { name: 'Log y' })).toHaveAttribute('aria-pressed', 'true');
});

/** Compares two experiments by time: from experiment 12 on a run takes much longer than before. Returns their chart. */
async function compareShortAndLong(page: Page): Promise<Locator> {
  for (const n of [1, 12]) {
    await runCommand(page, String(n), `Go to experiment #${n}`);
    await page.keyboard.press('c');
  }
  await study(page).tab('Compare').click();
  await choose(page.getByLabel('Horizontal axis'), 'by time since the first step');
  return page.getByRole('img', { name: 'Curves of experiments 1, 12' });
}

test('a curve has no value where it does not reach', async ({ page }) => {
  const chart = await compareShortAndLong(page);
  await expect(chart.locator('path.recharts-curve')).toHaveCount(2);
  const { within, beyond } = await pointsOnCurves(chart);
  await page.mouse.move(beyond.x, beyond.y);
  const tip = chart.locator('.shadow-float');
  await expect(tip).toContainText(/#1 loss\s*ended at [\d.]+/);
  await expect(tip).toContainText(/#12 loss\s*[\d.]+/);
  await takePictures(page, 'compare-beyond-the-end');
  await page.mouse.move(within.x, within.y);
  await expect(tip).not.toContainText('ended');
});

test('a smoothed curve, too, has no value where it does not reach', async ({ page }) => {
  const chart = await compareShortAndLong(page);
  await page.getByRole('slider', { name: 'Smoothing' }).fill('0.9');
  await expect(chart.locator('path.recharts-curve')).toHaveCount(4);
  const { beyond } = await pointsOnCurves(chart);
  await page.mouse.move(beyond.x, beyond.y);
  const tip = chart.locator('.shadow-float');
  await expect(tip).toContainText(/#1 loss\s*ended at [\d.]+/);
  await expect(tip).toContainText(/#12 loss\s*[\d.]+ \([\d.]+\)/);
});

test('compared experiments tell which constants and values differ, and which of them are better', async ({
  page,
}) => {
  await study(page).tab('Compare').click();
  await page.getByRole('button', { name: 'Compare the baseline with the best' }).click();
  const differing = page.getByRole('region', { name: 'What differs' });
  const row = (name: string) =>
    differing.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  await expect(row('LEARNING_RATE').getByRole('cell')).toHaveText(['0.02', '0.06']);
  await expect(row('DEPTH').getByRole('cell')).toHaveText(['4', '6']);
  // Constants with the same value in both are not listed.
  await expect(row('BATCH_SIZE')).toHaveCount(0);
  await expect(row('num_params_M').getByRole('cell')).toHaveText(['1.6', '2.4']);
  await expect(row('peak_vram_mb').getByRole('cell')).toHaveText(['better: 660', '780']);
  await expect(row('trained').getByRole('cell').first()).not.toContainText('better');
  await differing.scrollIntoViewIfNeeded();
  await takePictures(page, 'compare-differences');
  expect(await violations(page, [])).toEqual([]);
  // A third experiment gets its own column.
  await study(page).tab('Notebook').click();
  await runCommand(page, '4', 'Go to experiment #4');
  await page.keyboard.press('c');
  await study(page).tab('Compare').click();
  await expect(row('BATCH_SIZE').getByRole('cell')).toHaveText(['64', '64', '512']);
});
