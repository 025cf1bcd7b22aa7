import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import { cellOf, dialog, openCell, openNotebook, palette } from './support/window.ts';

test.beforeEach(async ({ page, context, night }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openNotebook(page, night.server, NIGHT_TAG);
});

test('an experiment has a menu at the pointer, and what can be selected in it keeps the browser’s own', async ({
  page,
  night,
}) => {
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const menu = page.getByRole('menu', { name: 'The experiment' });
  const commit = await night.bench.git('rev-parse', `refs/pawl/${NIGHT_TAG}/13`);
  await cellOf(page, 13)
    .region.getByRole('button', { name: /^Weight decay/ })
    .click({ button: 'right' });
  await expect(menu.getByRole('menuitem')).toHaveText([
    /^Try again …/,
    /^Go to its parent/,
    /^Mark for comparison/,
    /^Open in the editor/,
    'Copy the path of its logr',
    'Copy the path of its folder',
    /^Copy as Markdown/,
    /^Copy the commit/,
  ]);
  await look(page, 'experiment-menu');
  await menu.getByRole('menuitem', { name: 'Copy the commit' }).click();
  await expect(page.getByText(`Copied ${commit.slice(0, 12)}.`)).toBeVisible();
  expect(await copied()).toBe(commit);

  // The menu key opens the menu of the experiment that has the focus.
  await cellOf(page, 12)
    .region.getByRole('button', { name: /^Use the whole/ })
    .focus();
  await page.keyboard.press('Shift+F10');
  await menu.getByRole('menuitem', { name: 'Mark for comparison' }).click();
  await expect(
    cellOf(page, 12).region.getByRole('button', { name: 'Compare experiment 12' }),
  ).toHaveAttribute('aria-pressed', 'true');

  const { region } = await openCell(page, 13);
  await region.getByText('The proposer gave no reason.').click({ button: 'right' });
  await expect(menu).toBeHidden();
  await region.getByRole('button', { name: 'More for experiment 13' }).click();
  await page.getByRole('menuitem', { name: 'Copy as Markdown' }).click();
  await expect(page.getByText('Copied #13 as Markdown.')).toBeVisible();
  expect(await copied()).toContain('+WEIGHT_DECAY = 0.25');
});

test('keys and the palette reach the same for the selected experiment, and its lineage leads back', async ({
  page,
  night,
}) => {
  await openCell(page, 13);
  const lineage = cellOf(page, 13).region.getByRole('region', { name: 'Lineage' });
  await expect(lineage.getByRole('button').first()).toHaveText('#0');
  await look(page, 'cell-lineage');
  await page.getByRole('main').focus();
  await page.keyboard.press('r');
  await expect(page.getByText(/^Copied .*\/runs\/13\/output\.log$/)).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(night.home);
  await lineage.getByRole('button', { name: '#2', exact: true }).click();
  await expect(cellOf(page, 2).panel).toBeVisible();
  await page.getByRole('main').focus();
  await page.keyboard.press('p');
  await expect(cellOf(page, 1).panel).toBeVisible();
  await page.keyboard.press('t');
  await expect(dialog(page, 'Try #1 again')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await palette(page).input.fill('experiment copy as markdown');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Copied #1 as Markdown.')).toBeVisible();
});
