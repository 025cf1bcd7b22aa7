import { dataPaths } from '../../src/engine/paths.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { expect, test } from './support/fixtures.ts';
import { happen } from './support/happen.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, notebook, openCell, openWindow, startStudy, study } from './support/window.ts';

const OTHER_HARDWARE = 'on NVIDIA A100-SXM4-80GB, the baseline on NVIDIA H100 80GB HBM3';

/** Makes the ledger tell that experiment 1 trained on another GPU than the baseline. */
function moveToOtherHardware(home: string): void {
  const database = openDatabase(dataPaths({ PAWL_HOME: home }).ledger);
  const flag = { kind: 'other_hardware', detail: OTHER_HARDWARE, isUnfair: true };
  database
    .prepare(
      `UPDATE run SET fairness = json_set(fairness, '$.flags', json(?))
       WHERE experiment_id = (SELECT id FROM experiment WHERE n = 1)`,
    )
    .run(JSON.stringify([flag]));
  database
    .prepare(
      `UPDATE experiment SET reason = 'other_hardware', metric = NULL,
         evidence = json_set(json_remove(evidence, '$.metric'), '$.unfair', json('["other_hardware"]'))
       WHERE n = 1`,
    )
    .run();
  database.close();
}

/** Makes the ledger tell that it was no gain beside the baseline on such a GPU. */
function screenOut(home: string): void {
  const database = openDatabase(dataPaths({ PAWL_HOME: home }).ledger);
  const screenedOut = JSON.stringify({ experiment: 0, value: 1.29, own: 1.304 });
  database
    .prepare(
      `UPDATE experiment SET reason = 'screened', evidence = json_set(evidence, '$.screenedOut', json(?)) WHERE n = 1`,
    )
    .run(screenedOut);
  database.close();
}

test('the number of a run on other hardware is in its cell, and does not count anywhere', async ({
  page,
  serve,
  home,
  makeBench,
}) => {
  const bench = await makeBench({
    turns: [
      { hypothesis: 'Four times the weight decay', category: 'optimizer', set: { WEIGHT_DECAY: '0.4' } },
    ],
  });
  const server = await serve();
  await openWindow(page, server);
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 1).region).toContainText('discard');
  moveToOtherHardware(home);
  await page.reload();
  await expect(cellOf(page, 1).region).toContainText('other hardware');
  await takePictures(page, 'other-hardware');
  const cell = await openCell(page, 1);
  await expect(cell.section('Other hardware')).toHaveText(
    /so its number does not count.*val_bpb 1\.304000\. It trained on NVIDIA A100.*the baseline on NVIDIA H100/,
  );
  await expect(cellOf(page, 1).region.getByRole('button', { name: /Four times/ })).toBeVisible();
  await takePictures(page, 'other-hardware-cell');
  await study(page).tab('Debrief').click();
  await expect(page.getByRole('article', { name: 'Debrief' })).toContainText('other hardware');
  await takePictures(page, 'other-hardware-debrief');
  screenOut(home);
  happen(home, [
    { type: 'handed_over', n: 2, k: 0, flags: [{ kind: 'other_hardware', detail: OTHER_HARDWARE }] },
  ]);
  await page.reload();
  await study(page).tab('Notebook').click();
  await expect(cellOf(page, 1).region).toContainText('screened');
  await expect(
    notebook(page).mark('#2 was set aside for a lane with the hardware of the baseline'),
  ).toContainText(/: it was trained on NVIDIA A100.*, the baseline on NVIDIA H100/);
  await takePictures(page, 'handed-over');
  const screened = await openCell(page, 1);
  await expect(screened.section('Screening')).toHaveText(
    /val_bpb 1\.304000\. It trained on NVIDIA A100.* On the hardware of this run, #0 reached 1\.290000\./,
  );
  await takePictures(page, 'screened-cell');
  await study(page).tab('Table').click();
  await expect(page.getByRole('grid')).toContainText('Four times');
  await takePictures(page, 'other-hardware-table');
});
