import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { choose } from '../choose.ts';
import { makeRepository } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { NIGHT_TAG, type Night } from './support/night.ts';
import { takePictures } from './support/pictures.ts';
import {
  cellOf,
  dialog,
  downloadOf,
  openNotebook,
  openProject,
  openWindow,
  setUp,
  startStudy,
  study,
} from './support/window.ts';

async function openDebrief(page: Page, night: Night): Promise<void> {
  await openNotebook(page, night.server, NIGHT_TAG);
  await page.keyboard.press('5');
}

test('the debrief tells what worked, and each number of an experiment leads to its cell', async ({
  page,
  night,
}) => {
  await openDebrief(page, night);
  const debrief = page.getByRole('article', { name: 'Debrief' });
  await expect(debrief).toContainText('val_bpb 1.299000 (#0) → 1.230951 (#13), −5.24 %.');
  await expect(debrief).toContainText(/13 experiments in .*: 7 kept, 5 discarded, 1 crashed\./);
  const worked = debrief.getByRole('table', { name: 'What worked' });
  await expect(worked.getByRole('row')).toHaveCount(1 + 7);
  await expect(worked.getByRole('row').nth(1)).toContainText(/#1 Double the learning rate to 0\.04.*\+0\.03/);
  await expect(debrief.getByRole('table', { name: 'Crashes' }).getByRole('row')).toHaveCount(2);
  await takePictures(page, 'debrief-night');
  await worked.getByRole('button', { name: '#13' }).click();
  await expect(cellOf(page, 13).panel).toBeVisible();
});

test('a next step is a dialog away, and nothing happens before it is confirmed', async ({ page, night }) => {
  await openDebrief(page, night);
  const next = page.getByRole('region', { name: 'What to do next' });
  await next.getByRole('button', { name: /^Branch: Make a branch at the best, #13/ }).click();
  await expect(dialog(page, `Take ${NIGHT_TAG} to Git`)).toBeVisible();
  await page.keyboard.press('Escape');
  await next.getByRole('button', { name: /^Resume/ }).click();
  await expect(dialog(page, `Resume ${NIGHT_TAG}`)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(study(page).header).toContainText('Ended');
});

test('the report is saved as one file, and copied as Markdown', async ({ page, context, night }) => {
  await openDebrief(page, night);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const menu = page.getByRole('button', { name: 'Report' });
  await menu.click();
  const file = await downloadOf(page, () =>
    page.getByRole('menuitem', { name: 'Save as one HTML file, with diffs' }).click(),
  );
  expect(file.name).toBe(`${NIGHT_TAG}-report.html`);
  const html = file.bytes.toString();
  expect(html).toContain('<span class="added">+LEARNING_RATE = 0.04</span>');
  expect(html).toContain('<title>Best so far</title>');
  expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  expect(html).not.toContain(night.bench.repository);
  await menu.click();
  await page.getByRole('menuitem', { name: 'Copy as Markdown' }).click();
  await expect(page.getByText('Copied as Markdown.')).toBeVisible();
  const words = await page.evaluate(() => navigator.clipboard.readText());
  expect(words).toMatch(/^# .*: apr14\n/);
  expect(words).toContain('Double the learning rate to 0.04');
});

test('those that proposed are compared in one study, and in all studies of its repository', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  const finish = async (tag: string) => {
    await startStudy(page, bench, { tag, experiments: 1 });
    await expect(cellOf(page, 1).region).toContainText(/keep|discard/);
    await expect(study(page).running).toBeHidden();
  };
  await finish('first');
  await page.keyboard.press('o');
  await finish('second');
  await page.keyboard.press('5');
  const arms = page.getByRole('region', { name: 'Who proposed' });
  const tried = arms.getByRole('row').nth(1).getByRole('cell').nth(1);
  await expect(tried).toHaveText('1');
  await arms.getByRole('button', { name: 'In all studies of this repository' }).click();
  await expect(tried).toHaveText('2');
  await expect(arms).toContainText(/In (?:first, second|second, first); they may have begun at different/);
  await arms.getByRole('button', { name: 'Only in this study' }).click();
  await expect(tried).toHaveText('1');
  await expect(arms).not.toContainText('they may have begun');
});

test('who comes back to a study that has ended meanwhile finds its debrief, once', async ({
  page,
  browser,
  serve,
  bench,
}) => {
  const server = await serve();
  await openWindow(page, server);
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(cellOf(page, 0).region).toContainText('training');
  const { href } = new URL(page.url());
  await page.goto('about:blank');
  await bench.letGo();
  // Another browser sees the study end. It remembers that for itself only.
  const other = await browser.newContext();
  const elsewhere = await other.newPage();
  await openNotebook(elsewhere, server, 'night');
  await expect(study(elsewhere).header).toContainText('Ended');
  await other.close();

  const debrief = page.getByRole('article', { name: 'Debrief' });
  await page.goto(new URL('/', href).href);
  await expect(debrief).toContainText('1 experiment');
  await page.goto('about:blank');
  await page.goto(new URL('/', href).href);
  await expect(cellOf(page, 1).region).toBeVisible();
  await expect(debrief).toBeHidden();
});

test('no table of the debrief scrolls sideways, with words that never end and several proposers', async ({
  page,
  serve,
  makeBench,
}) => {
  const turns = [
    {
      hypothesis: `Change ${'models/attention/grouped_query_'.repeat(6)}.py`,
      rationale: `Because_${'of_the_window_'.repeat(16)}`,
      category: `regularization_${'of_all_'.repeat(6)}`,
      predicted_effect: 0.1,
      set: { LEARNING_RATE: '0.04' },
    },
  ];
  const bench = await makeBench({ turns, seconds: 0.3 });
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  await choose(setUp(page).field('Proposer'), 'A command that edits the files');
  await setUp(page).field('Command line').fill(bench.command);
  await setUp(page).unfold('More about the proposer');
  await page.getByRole('button', { name: 'Add another proposer' }).click();
  const second = page.getByRole('group', { name: 'Proposer 2' });
  await choose(second.getByLabel('Proposer', { exact: true }), 'Search over constants (no network)');
  await choose(setUp(page).field('How they work together'), 'In turns');
  await setUp(page).field('Experiments').fill('10');
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('Ended');
  await study(page).tab('Debrief').click();
  await expect(page.getByRole('table', { name: 'Who proposed' }).getByRole('row')).toHaveCount(3);
  const tables = page.getByRole('article', { name: 'Debrief' }).getByRole('table');
  await expect(tables.first()).toBeVisible();
  const sideways = () =>
    tables.evaluateAll(all =>
      all
        .filter(table => table.scrollWidth > (table.parentElement?.clientWidth ?? 0))
        .map(table => table.ariaLabel),
    );
  for (const width of [900, 1280, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await sideways(), `${width} px`).toEqual([]);
  }
});

test('after a failed baseline the debrief says why nothing was tried, and what to do', async ({
  page,
  serve,
  home,
}) => {
  const repository = join(home, 'broken');
  await makeRepository(repository, {
    'train.sh': 'RATE=4\nexit 3\n',
    'pawl.toml':
      '[contract]\neditable = ["train.sh"]\ntrain = "sh train.sh"\n[metric]\nname = "score"\ngoal = "maximize"\n',
  });
  await openWindow(page, await serve());
  await openProject(page, repository);
  await choose(setUp(page).field('Proposer'), 'A command that edits the files');
  await setUp(page).field('Command line').fill('true');
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('The baseline gave no valid number.');
  await expect(study(page).header).toContainText('the baseline failed');
  await study(page).tab('Debrief').click();
  await expect(page.getByText('Nothing was tried, because the baseline failed')).toBeVisible();
  await look(page, 'debrief-failed-baseline');
  await page.getByRole('button', { name: '#0', exact: true }).click();
  await expect(cellOf(page, 0).panel).toBeVisible();
});
