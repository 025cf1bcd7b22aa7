import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, openCell, openWindow, startStudy, study } from './support/window.ts';

test('a better number whose check fails is discarded, and its cell shows the check’s end', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    checks: `depth = "grep DEPTH train.py; ! grep -q 'DEPTH = 8' train.py"`,
    turns: [{ hypothesis: 'Twice as deep', category: 'architecture', set: { DEPTH: '8' } }],
  });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 1).region).toContainText('a check of yours failed: depth');
  const cell = await openCell(page, 1);
  await expect(cell.section('Failed check')).toContainText('the check "depth" ended with exit code 1');
  await expect(cell.section('Failed check')).toContainText('DEPTH = 8');
  await takePictures(page, 'guard');
  await cell.tab('Log').click();
  await expect(cell.panel).toContainText('[pawl] depth: grep DEPTH train.py');
});

test('a number that comes later is typed into its cell', async ({ page, serve, makeBench }) => {
  const bench = await makeBench({ metric: 'wait = "7d"' });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 0 });
  const cell = cellOf(page, 0);
  await expect(cell.region).toContainText('measuring');
  const awaited = (await openCell(page, 0)).section('Awaited number');
  await expect(awaited).toContainText('Trained; its val_bpb is still to come');
  const enter = awaited.getByRole('button', { name: 'Enter' });
  await awaited.getByLabel('val_bpb').fill('1,2');
  await awaited.getByLabel('Where it comes from').fill('dashboard of 9 March');
  await expect(enter).toBeDisabled();
  await awaited.getByLabel('val_bpb').fill('1.2');
  await takePictures(page, 'awaited');
  await enter.click();
  await expect(study(page).header).toContainText('Ended');
  await expect(cell.region).toContainText(/keep/);
  await expect(cell.section('Numbers')).toContainText('dashboard of 9 March');
});
