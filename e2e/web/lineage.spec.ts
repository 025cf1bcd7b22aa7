import { expect, test } from './support/fixtures.ts';
import { NIGHT_TAG } from './support/night.ts';
import { cellOf, openNotebook, study } from './support/window.ts';

test('the lineage shows what the branch holds, from the best down to the baseline, and leads to the experiments', async ({
  page,
  night,
}) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await page.keyboard.press('8');
  await expect(study(page).tab('Lineage')).toHaveAttribute('aria-selected', 'true');
  const rows = page.getByRole('list', { name: 'Experiments by lineage' }).getByRole('listitem');
  await expect(rows.first()).toContainText('#13');
  await expect(rows.last()).toContainText('Baseline: the code as it is');
  await expect(page.getByRole('region', { name: 'Lineage' })).toContainText(
    'The branch holds the baseline and',
  );
  // Nor does a narrow window hide the verdicts.
  await page.setViewportSize({ width: 900, height: 700 });
  await expect(rows.first().getByText('keep', { exact: true })).toBeVisible();
  await rows.first().getByRole('button').click();
  await expect(study(page).tab('Notebook')).toHaveAttribute('aria-selected', 'true');
  await expect(cellOf(page, 13).panel).toBeVisible();
});
