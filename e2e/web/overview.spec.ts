import { expect, test } from './support/fixtures.ts';
import { NIGHT_TAG } from './support/night.ts';
import { cellOf, dialog, openNotebook, openWindow, sidebar, startStudy, study } from './support/window.ts';

test('studies are compared, renamed, put away and deleted where all of them stand', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    turns: [{ hypothesis: 'Double the learning rate', set: { LEARNING_RATE: '0.04' } }],
    name: 'byte-model-of-the-whole-group',
  });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'first', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 1).region).toContainText('keep');

  await sidebar(page).button('All studies').click();
  const overview = page.getByRole('region', { name: 'All studies' });
  const row = overview.getByRole('row', { name: /first/ });
  await expect(row).toContainText('1.269000');
  await expect(row).toContainText('2.31 %');
  await expect(row).toContainText(/\d [KM]B/);
  // In a small window the numbers come before what has to be scrolled to.
  await page.setViewportSize({ width: 900, height: 700 });
  const gain = await overview.getByRole('cell').filter({ hasText: '2.31 %' }).boundingBox();
  const menu = await row.getByRole('button', { name: /^More for/ }).boundingBox();
  if (!gain || !menu) throw new Error('the gain or the menu is not on the page');
  expect(gain.x + gain.width).toBeLessThan(menu.x);
  await page.setViewportSize({ width: 1280, height: 800 });
  await overview.getByRole('checkbox', { name: 'Compare first' }).check();
  const chart = overview.getByRole('group', { name: 'Best so far of the compared studies' });
  await expect(chart).toContainText('first');
  await overview.getByRole('button', { name: 'Cost' }).click();
  await expect(overview.getByRole('columnheader', { name: 'Cost' })).toHaveAttribute(
    'aria-sort',
    'descending',
  );

  const more = (item: string) => async () => {
    await row.getByRole('button', { name: /^More for/ }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await more('Rename …')();
  await dialog(page, 'Rename first').getByLabel('Name').fill('The first night');
  await page.keyboard.press('Enter');
  await expect(sidebar(page).study('The first night')).toBeVisible();
  await expect(row).toContainText('first');

  await more('Archive')();
  await expect(row).toBeHidden();
  await expect(sidebar(page).study('The first night')).toBeHidden();
  await overview.getByLabel('Show archived (1)').check();
  await expect(row).toContainText('archived');
  await more('Take out of the archive')();
  await expect(sidebar(page).study('The first night')).toBeVisible();

  await more('Delete …')();
  const form = dialog(page, 'Delete The first night?');
  await expect(form.getByRole('list', { name: 'What is lost' })).toContainText('2 experiments');
  const remove = form.getByRole('button', { name: 'Delete for ever' });
  await expect(remove).toBeDisabled();
  await form.getByLabel('Keep the branch and the commits').uncheck();
  await expect(form).toContainText('the branch autoresearch/first and the commits of all attempts (3 refs)');
  await form.getByLabel('Type first to delete it').fill('first');
  await remove.click();
  await expect(page.getByText('The first night was deleted.')).toBeVisible();
  await expect(page.getByText('No study yet')).toBeVisible();
  await expect(sidebar(page).study('The first night')).toBeHidden();
  expect(await bench.git('for-each-ref', 'refs/pawl', 'refs/heads/autoresearch')).toBe('');
});

test('the overview has an address, and the study that is open is gone with its deletion', async ({
  page,
  night,
}) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await page.keyboard.press('0');
  await expect(page).toHaveURL(/#\/studies$/);
  await page.goBack();
  await expect(study(page).heading).toHaveText(NIGHT_TAG);
});

test('the large view fills the screen when asked to, and leaving it leaves that too', async ({
  page,
  night,
}) => {
  const fills = () => page.evaluate(() => document.fullscreenElement !== null);
  await openNotebook(page, night.server, NIGHT_TAG);
  await page.keyboard.press('z');
  const room = dialog(page, NIGHT_TAG);
  const fill = room.getByRole('button', { name: 'Fill the screen' });
  const back = room.getByRole('button', { name: 'Back to the window' });
  await fill.click();
  await expect(back).toBeVisible();
  expect(await fills()).toBe(true);
  await back.click();
  await expect(fill).toBeVisible();
  expect(await fills()).toBe(false);
  await fill.click();
  await expect(back).toBeVisible();
  await room.getByRole('button', { name: 'Close' }).click();
  await expect(room).toBeHidden();
  await expect.poll(fills).toBe(false);
});

test('from across the room the best, the way to go and the last gain can be read, and Escape leaves it', async ({
  page,
  night,
}) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await page.keyboard.press('z');
  const room = dialog(page, NIGHT_TAG);
  await expect(room).toContainText('1.230951');
  await expect(room).toContainText('13 of 13');
  await expect(room).toContainText('Last gain');
  await expect(room).toContainText('#13');
  await page.keyboard.press('Escape');
  await expect(room).toBeHidden();
});
