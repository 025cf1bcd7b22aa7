import { expect, test } from './support/fixtures.ts';
import { NIGHT_TAG } from './support/night.ts';
import { pawl } from './support/terminal.ts';
import { dialog, notebook, openNotebook, sidebar, study } from './support/window.ts';

const COUNTS = '7 kept, 5 discarded, 1 crashed';

test('every screen and the terminal count the same experiments', async ({ page, night }) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await expect(study(page).header).toContainText(`13 tried: ${COUNTS} · keep rate 58.3 %`);
  await expect(notebook(page).chart).toHaveAccessibleName(new RegExp(`over 13 experiments: .*, ${COUNTS}$`));

  for (const [word, count] of [
    ['keep', 7],
    ['discard', 5],
    ['crash', 1],
  ] as const) {
    const chip = notebook(page).verdict(word);
    await expect(chip).toHaveText(`${word}${count}`);
    await chip.click();
    await expect(notebook(page).filter).toContainText(`${count} of 14`);
    await chip.click();
  }

  await page.keyboard.press('z');
  await expect(dialog(page, NIGHT_TAG)).toContainText('13 of 13');
  await page.keyboard.press('Escape');
  await page.keyboard.press('5');
  await expect(page.getByRole('article', { name: 'Debrief' })).toContainText(
    new RegExp(`13 experiments in .*: ${COUNTS}\\.`),
  );
  await page.keyboard.press('6');
  await page.getByLabel('Group by').click();
  await page.getByRole('option', { name: 'By verdict' }).click();
  await expect(page.getByRole('gridcell', { name: /^keep.*experiments/ })).toContainText('7 kept');
  await sidebar(page).button('All studies').click();
  const row = page.getByRole('region', { name: 'All studies' }).getByRole('row', { name: NIGHT_TAG });
  await expect(row).toContainText('137 kept');

  const terminal = { home: night.home, cwd: night.bench.repository };
  expect(await pawl(terminal, 'status')).toContain(`13 tried: ${COUNTS}, keep rate 58.3 %\n`);
  expect(await pawl(terminal, 'report')).toMatch(new RegExp(`13 experiments in .*: ${COUNTS}\\.`));
});
