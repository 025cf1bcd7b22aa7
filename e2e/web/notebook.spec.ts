import type { Page } from '@playwright/test';
import { choose } from '../choose.ts';
import { CORE, expect, test } from './support/fixtures.ts';
import { NIGHT_TAG, NIGHT_TURNS } from './support/night.ts';
import { takePictures } from './support/pictures.ts';
import {
  cellOf,
  chooseFrom,
  dialog,
  downloadOf,
  notebook,
  openCell,
  openNotebook,
  runCommand,
  sidebar,
  study,
} from './support/window.ts';

test.beforeEach(({ page, night }) => openNotebook(page, night.server, NIGHT_TAG));

test('the header sums the night up', CORE, async ({ page }) => {
  await expect(study(page).header).toContainText('13 tried: 7 kept, 5 discarded, 1 crashed');
  await expect(study(page).header).toContainText('Ended');
  await expect(study(page).best).toHaveText('1.230951');
  await expect(page).toHaveTitle(`${NIGHT_TAG} – Pawl`);
  await expect(sidebar(page).region).toContainText('best 1.230951 · 13 tried');
  await expect(notebook(page).chart).toHaveAccessibleName(
    'val_bpb over 13 experiments: baseline 1.299000, best 1.230951 in experiment 13, 7 kept, 5 discarded, 1 crashed',
  );
});

test('an opened cell tells why, and what was predicted beside what came of it', CORE, async ({ page }) => {
  const cell = await openCell(page, 1);
  await expect(cell.section('Rationale')).toContainText('The loss still falls steeply');
  const effect = cell.section('Predicted and actual effect');
  await expect(effect).toContainText('against #0');
  await expect(effect).toContainText(/Predicted\s*−0.02/);
  await expect(effect).toContainText(/Actual\s*−0.03/);
  await expect(cell.section('Changed files')).toContainText('train.py');
  await expect(cell.section('Changed files')).toContainText('+1 −1');
  const numbers = cell.section('Numbers');
  await expect(numbers).toContainText('succeeded');
  await expect(numbers).toContainText('num_params_M');
  await cell.toggle.click();
  await expect(cell.panel).toBeHidden();
});

test('a proposal that was refused is told of in the list and in its cell', async ({ page }) => {
  await expect(page.getByText('A proposal for #6 refused')).toBeAttached();
  const cell = await openCell(page, 6);
  await expect(cell.section('Refused proposals')).toContainText('prepare.py');
  await expect(cell.section('Rationale')).toContainText('The proposer gave no reason.');
});

test('the diff is shown in one column or in two', CORE, async ({ page }) => {
  const cell = await openCell(page, 1, 'Diff');
  const diff = cell.region.getByRole('region', { name: 'Changes of experiment 1' });
  await expect(diff).toContainText('LEARNING_RATE = 0.04');
  await expect(diff.locator('table.diff-unified')).toBeVisible();
  await diff.getByRole('button', { name: 'Split' }).click();
  await expect(diff.locator('table.diff-split')).toBeVisible();
  await expect(diff.getByRole('button', { name: 'Split' })).toHaveAttribute('aria-pressed', 'true');
  await diff.getByRole('button', { name: 'Collapse all files' }).click();
  await expect(diff.getByRole('table')).toBeHidden();
  await diff.getByRole('button', { name: 'Expand all files' }).click();
  await diff.getByRole('button', { name: 'Unified' }).click();
  await expect(diff.locator('table.diff-unified')).toBeVisible();
});

test('the curves are drawn for each series, by time and by step', CORE, async ({ page }) => {
  const cell = await openCell(page, 12, 'Curves');
  const series = cell.region.getByLabel('Series');
  await expect(cell.region.getByRole('img', { name: 'loss of experiment 12', exact: true })).toBeVisible();
  await expect(cell.panel).toContainText('incumbent #10 by seconds since the first step: first');
  await choose(cell.region.getByLabel('Horizontal axis'), 'by step');
  await expect(cell.panel).toContainText('#12 by step: first');
  await choose(series, 'dt');
  const chart = cell.region.getByRole('img', { name: 'dt of experiment 12' });
  await expect(chart).toContainText('ms');
  const incumbent = cell.region.getByRole('button', { name: 'incumbent #10' });
  await expect(cell.panel).toContainText(/incumbent #10 by step: first [\d.]+ ms/);
  const lines = await chart.locator('path').count();
  await incumbent.click();
  await expect(incumbent).toHaveAttribute('aria-pressed', 'false');
  await expect.poll(() => chart.locator('path').count()).toBeLessThan(lines);
  // Dragging the pointer zooms into a part of the curve.
  const box = await chart.boundingBox();
  if (!box) throw new Error('the chart has no place');
  await page.mouse.move(box.x + 0.4 * box.width, box.y + 80);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.6 * box.width, box.y + 90, { steps: 4 });
  await page.mouse.up();
  await cell.region.getByRole('button', { name: 'Show all' }).click();
  await expect(cell.region.getByRole('button', { name: 'Show all' })).toBeHidden();
});

test('the machine of a run is drawn under its curve', async ({ page }) => {
  const cell = await openCell(page, 12, 'Curves');
  await expect(cell.panel.getByRole('img').nth(1)).toBeVisible();
  await expect(cell.panel).not.toContainText('The machine was not sampled');
});

test('what is drawn stays while the window is made narrower', async ({ page }) => {
  const cell = await openCell(page, 12, 'Curves');
  const chart = cell.region.getByRole('img', { name: 'CPU during the run' });
  const drawn = await chart.elementHandle();
  const widthOf = () => chart.boundingBox().then(box => box?.width ?? Number.POSITIVE_INFINITY);
  const before = await widthOf();
  await page.setViewportSize({ width: 1000, height: 800 });
  await expect.poll(widthOf).toBeLessThan(before);
  expect(await drawn?.evaluate(element => element.isConnected)).toBe(true);
});

test('the log is searched, and Enter goes from hit to hit', CORE, async ({ page }) => {
  const cell = await openCell(page, 1, 'Log');
  const log = cell.region.getByRole('region', { name: 'Log of experiment 1, text' });
  await expect(log).toContainText('val_bpb:');
  const search = cell.region.getByRole('textbox', { name: /^Search/ });
  await search.fill('shard 00');
  const status = cell.region.getByRole('status');
  await expect(status).toHaveText(/^\d+ of 10$/);
  await expect(log.locator('mark').first()).toHaveText('shard 00');
  // The search starts at the reader's position and continues from the start after the last hit.
  const first = Number.parseInt((await status.textContent()) ?? '', 10);
  const next = (first % 10) + 1;
  await search.press('Enter');
  await expect(status).toHaveText(`${next} of 10`);
  await search.press('Enter');
  await expect(status).toHaveText(`${(next % 10) + 1} of 10`);
  await search.press('Shift+Enter');
  await search.press('Shift+Enter');
  await expect(status).toHaveText(`${first} of 10`);
  await search.fill('no such words');
  await expect(status).toHaveText(/no/i);
  await search.press('Escape');
  await expect(search).toHaveValue('');
  await expect(cell.panel).toBeVisible();
});

test('a crash says its class and the last frames', async ({ page }) => {
  const cell = await openCell(page, 4);
  await expect(cell.region).toContainText('crash');
  const crash = cell.section('Crash');
  await expect(crash).toContainText('out of memory');
  await expect(crash).toContainText('RuntimeError: CUDA out of memory. Tried to allocate 24576 MiB');
  await expect(crash).toContainText('in allocate');
  await expect(crash).toContainText('in forward');
  await expect(cell.section('Numbers')).toContainText('exit code 1');
});

test('in a narrow window a crash’s row gives its class and message the room of the other facts', async ({
  page,
}) => {
  await page.setViewportSize({ width: 900, height: 700 });
  await runCommand(page, '4', 'Go to experiment #4');
  await cellOf(page, 4).toggle.click();
  const why = cellOf(page, 4).region.getByText('out of memory: RuntimeError: CUDA out of memory.');
  await expect(why).toBeInViewport();
  const [own, line] = [await why.boundingBox(), await why.locator('..').boundingBox()];
  expect([own?.y, own?.x]).toEqual([line?.y, line?.x]);
  expect(own?.width).toBeGreaterThan(250);
});

test('the list is filtered by verdict, category and text', CORE, async ({ page }) => {
  const list = notebook(page);
  await list.verdict('crash').click();
  await expect(list.rows).toHaveCount(1);
  await expect(list.filter).toContainText('1 of 14');
  await list.verdict('discard').click();
  await expect(list.filter).toContainText('6 of 14');
  await choose(list.category, 'architecture');
  await expect(list.filter).toContainText('1 of 14');
  await expect(cellOf(page, 9).region).toBeVisible();
  await list.filter.getByRole('button', { name: 'Clear' }).click();
  await expect(list.filter).toContainText('14 of 14');
  await list.search.fill('weight decay');
  await expect(list.rows).toHaveCount(3);
  await list.search.fill('no such thing');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  await page.getByRole('button', { name: 'Show all experiments' }).click();
  await expect(list.filter).toContainText('14 of 14');
});

test('the order is turned, and stays so', async ({ page }) => {
  const list = notebook(page);
  await expect(list.rows.first()).toHaveAccessibleName('Experiment 13');
  await list.filter.getByRole('button', { name: /^Newest first/ }).click();
  await expect(list.rows.first()).toHaveAccessibleName('Experiment 0');
  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  await expect(list.rows.first()).toHaveAccessibleName('Experiment 0');
  await list.filter.getByRole('button', { name: /^Oldest first/ }).click();
  await expect(list.rows.first()).toHaveAccessibleName('Experiment 13');
});

test('the best is jumped to from the header, the menu and by its key', async ({ page }) => {
  const best = cellOf(page, 13).region;
  const jumps = [
    () => study(page).header.getByRole('button', { name: 'in #13' }).click(),
    () => chooseFrom(page, study(page).control('More'), 'Jump to the best'),
    () => page.keyboard.press('b'),
  ];
  for (const jump of jumps) {
    await runCommand(page, '0', 'Go to experiment #0');
    await expect(best).not.toBeInViewport();
    await jump();
    await expect(best).toBeInViewport();
    await expect(best).toContainText('best so far');
    await expect(cellOf(page, 13).panel).toBeVisible();
    await expect.poll(() => gapAbove(page, 13)).toBeLessThan(2);
    await cellOf(page, 13).toggle.click();
  }
  // A filter that hides the best experiment is removed.
  await notebook(page).verdict('crash').click();
  await expect(best).toBeHidden();
  await page.keyboard.press('b');
  await expect(cellOf(page, 13).panel).toBeVisible();
});

/** Returns the pixels between the top of the list and an experiment in it. */
function gapAbove(page: Page, n: number): Promise<number> {
  return page.evaluate(name => {
    const row = document.querySelector(`[aria-label="${name}"]`);
    const list = document.querySelector('[data-testid="notebook-list"]');
    return Math.abs((row?.getBoundingClientRect().top ?? 1e6) - (list?.getBoundingClientRect().top ?? 0));
  }, `Experiment ${n}`);
}

test('what was searched for is marked, also in what a crash said', async ({ page }) => {
  const list = notebook(page);
  await list.search.fill('weight dec');
  await expect(list.rows).toHaveCount(3);
  await expect(cellOf(page, 11).region.locator('mark')).toHaveText(['weight', 'dec']);
  await list.search.fill('out of memory');
  await expect(list.rows).toHaveCount(1);
  const crashed = cellOf(page, 4).region;
  await expect(crashed).toContainText('RuntimeError: CUDA out of memory. Tried to allocate 24576 MiB');
  await expect(crashed.locator('mark')).toHaveText(['of', 'out', 'of', 'memory']);
  expect((await crashed.boundingBox())?.height).toBeLessThan(62);
  await takePictures(page, 'notebook-search');
  await list.search.fill('');
  await expect(crashed.locator('mark')).toHaveCount(0);
});

test('a note that comes moves the rows below it, and leaves no hole between them', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 1500 });
  await openCell(page, 2);
  await page.keyboard.press('s');
  const note = dialog(page, `Steer ${NIGHT_TAG}`).getByLabel('Note to the proposer');
  await note.fill('Leave the data order alone.');
  await note.press('Control+Enter');
  await expect(page.getByText('It goes with the next proposal to command.')).toBeVisible();
  await expect(page.locator('li[data-index="15"]').filter({ has: cellOf(page, 2).region })).toBeVisible();
  await expect.poll(() => holes(page)).toEqual([]);
});

/** Returns the gaps between neighbouring rows of the list, in pixels; an overlap is negative. */
function holes(page: Page): Promise<readonly number[]> {
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll('[data-testid="notebook-list"] li[data-index]')]
      .map(row => row.getBoundingClientRect())
      .sort((a, b) => a.top - b.top);
    return boxes.flatMap((box, place) => {
      const gap = Math.round((boxes[place + 1]?.top ?? box.bottom) - box.bottom);
      return gap === 0 ? [] : [gap];
    });
  });
}

test('a study is exported as table, spreadsheet and JSON', async ({ page }) => {
  await chooseFrom(page, study(page).control('More'), 'Export …');
  const exporting = dialog(page, `Export ${NIGHT_TAG}`);
  const save = (name: string) => downloadOf(page, () => exporting.getByRole('button', { name }).click());

  const tsv = await save('Save results.tsv');
  const lines = tsv.bytes.toString().trimEnd().split('\n');
  expect(lines[0]).toBe('commit\tval_bpb\tmemory_gb\tstatus\tdescription');
  expect(lines).toHaveLength(15);
  expect(lines[2]).toMatch(/^[0-9a-f]{7}\t1\.269000\t0\.6\tkeep\tDouble the learning rate to 0\.04$/);

  const csv = await save('Save CSV');
  expect(csv.name).toBe(`${NIGHT_TAG}.csv`);
  expect(csv.bytes.toString().trimEnd().split('\r\n')).toHaveLength(15);
  expect(csv.bytes.toString()).toContain('RuntimeError: CUDA out of memory');

  const json = await save('Save JSON');
  const whole = JSON.parse(json.bytes.toString()) as {
    readonly experiments: readonly {
      readonly proposal: { readonly hypothesis: string } | null;
      readonly runs: readonly { readonly series: readonly unknown[] }[];
    }[];
  };
  expect(whole.experiments.slice(1).map(({ proposal }) => proposal?.hypothesis)).toEqual(
    NIGHT_TURNS.map(({ hypothesis }) => hypothesis),
  );
  expect(whole.experiments[0]?.runs[0]?.series.length).toBeGreaterThan(5);
});

test('the chart is saved as PNG, SVG and CSV', async ({ page }) => {
  const save = (item: string) =>
    downloadOf(page, () => chooseFrom(page, page.getByRole('button', { name: 'Export the chart' }), item));
  const png = await save('As PNG');
  expect(png.name).toBe(`${NIGHT_TAG}-val_bpb.png`);
  // A PNG starts with a signature; the width and height follow as big-endian numbers.
  expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
  expect([png.bytes.readUInt32BE(16), png.bytes.readUInt32BE(20)]).toEqual([2_400, 1_200]);
  expect(png.bytes.length).toBeGreaterThan(20_000);
  const svg = await save('As SVG');
  expect(svg.bytes.toString()).toContain(`${NIGHT_TAG}: val_bpb`);
  expect(svg.bytes.toString()).not.toContain('var(--');
  const csv = await save('The points as CSV');
  const lines = csv.bytes.toString().trimEnd().split('\r\n');
  expect(lines[0]).toBe('experiment,time,verdict,val_bpb,hypothesis');
  expect(lines).toHaveLength(15);
  expect(lines[5]).toMatch(/^4,[^,]+,crash,,Batches of 512/);
});

test('a click on a point of the chart selects its cell', async ({ page }) => {
  const { chart } = notebook(page);
  await page
    .getByRole('group', { name: 'Horizontal axis' })
    .getByRole('button', { name: 'Kept only' })
    .click();
  await expect(chart).toContainText('Weight decay 0.25');
  // The last of what was kept is the rightmost point of the steps.
  const dots = await chart
    .locator('path[d*="h0"]')
    .evaluateAll(paths => paths.map(path => path.getAttribute('d') ?? '').join());
  const [last] = [...dots.matchAll(/M([\d.]+) ([\d.]+)h0/g)].sort((a, b) => Number(b[1]) - Number(a[1]));
  const box = await chart.boundingBox();
  if (!last || !box) throw new Error('the chart has no points');
  await page.mouse.move(box.x + Number(last[1]), box.y + Number(last[2]));
  await expect(chart.getByText('Experiment 13', { exact: true })).toBeVisible();
  await page.mouse.down();
  await page.mouse.up();
  await expect(cellOf(page, 13).region).toBeInViewport();
  await expect(cellOf(page, 13).region).toHaveClass(/border-accent/);
});

test('the chart is walked by keys, and its zoom stays over a reload', async ({ page }) => {
  const { chart } = notebook(page);
  await chart.focus();
  await page.keyboard.press('End');
  await expect(cellOf(page, 13).region).toHaveClass(/border-accent/);
  await page.keyboard.press('ArrowDown');
  await expect(chart).toContainText('Experiment 12, keep');
  await page.keyboard.press('Enter');
  await expect(cellOf(page, 12).region).toHaveClass(/border-accent/);
  for (let times = 0; times < 4; times += 1) await page.keyboard.press('+');
  const all = chart.getByRole('button', { name: 'Show all' });
  await expect(all).toBeVisible();
  // A reload before the address is written would open the experiment.
  await expect(page).toHaveURL(/\/12$/);
  const ticks = await chart.locator('svg').first().textContent();
  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  await expect(all).toBeVisible();
  await expect(chart.locator('svg').first()).toHaveText(ticks ?? '');
  await all.click();
  await expect(all).toBeHidden();
  await expect(chart.locator('svg').first()).not.toHaveText(ticks ?? '');
});

test('two experiments are compared: curves, numbers and the difference', async ({ page }) => {
  await study(page).tab('Compare').click();
  await expect(page.getByText('Choose two or more experiments')).toBeVisible();
  await page.getByRole('button', { name: 'Compare the baseline with the best' }).click();
  const numbers = page.getByRole('region', { name: 'Numbers' });
  await expect(numbers.getByRole('row')).toHaveCount(3);
  await expect(numbers).toContainText('1.299000');
  await expect(numbers).toContainText('−0.068');
  await expect(page.getByRole('img', { name: 'Curves of experiments 0, 13' })).toBeVisible();
  const difference = page.getByRole('region', { name: 'Difference from experiment 0 to 13' });
  await expect(difference).toContainText('LEARNING_RATE = 0.06');
  await expect(difference).toContainText('LEARNING_RATE = 0.02');

  await study(page).tab('Notebook').click();
  await cellOf(page, 12).region.hover();
  await cellOf(page, 12).compare.click();
  await study(page).tab('Compare').click();
  await expect(study(page).tab('Compare')).toHaveText('Compare (3)');
  await expect(page.getByRole('region', { name: 'Difference from experiment 0 to 12' })).toBeVisible();
  await choose(page.getByLabel('From', { exact: true }), '#12');
  await expect(page.getByRole('region', { name: 'Difference from experiment 12 to 12' })).toBeHidden();
  await choose(page.getByLabel('To', { exact: true }), '#13');
  await expect(page.getByRole('region', { name: 'Difference from experiment 12 to 13' })).toContainText(
    'WEIGHT_DECAY = 0.25',
  );
  await numbers.getByRole('button', { name: 'Take #12 out' }).click();
  await expect(numbers.getByRole('row')).toHaveCount(3);
});
