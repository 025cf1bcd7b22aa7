import { dataPaths } from '../../src/engine/paths.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { cellOf, openCell, openWindow, startStudy, study } from './support/window.ts';

const WHY = 'sbatch: error: AssocMaxSubmitJobLimit. It will be run when the study goes on.';

/** Makes the ledger tell that experiment 1 was put off. */
function putOff(home: string): void {
  const database = openDatabase(dataPaths({ PAWL_HOME: home }).ledger);
  database
    .prepare(
      `UPDATE experiment SET phase = 'put_off', why_waiting = ?, verdict = NULL, reason = NULL, evidence = NULL,
         metric = NULL, ended_at = NULL WHERE n = 1`,
    )
    .run(WHY);
  database.close();
}

test('an experiment that was put off says so, and why, wherever its verdict will be', async ({
  page,
  serve,
  home,
  bench,
}) => {
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  putOff(home);
  await page.reload();
  await expect(cellOf(page, 1).region).toContainText('put off');
  await expect(cellOf(page, 1).region).toContainText(WHY);
  await openCell(page, 1);
  await expect(cellOf(page, 1).panel).toContainText(WHY);
  await look(page, 'put-off');
  await study(page).tab('Table').click();
  await expect(page.getByRole('grid')).toContainText('put off');
});
