import { dataPaths } from '../../src/engine/paths.ts';
import { openLedger } from '../../src/engine/store/ledger.ts';
import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { dialog, notebook, openWindow, runCommand, startStudy } from './support/window.ts';

test('a job whose machine is gone is given up where the notebook says that it may still run', async ({
  page,
  home,
  bench,
  serve,
}) => {
  const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
  // This is not a valid host name, so nothing waits for a host to answer.
  const place = { kind: 'ssh', host: '-gone' } as const;
  ledger.write(() =>
    ledger.jobs.begin({ marker: 's1/4.0', studyId: 's1', n: 4, k: 0, place, gitDir: '/r/.git' }),
  );
  ledger.close();
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 0 });
  const warning = notebook(page).list.getByText(/^Jobs of a deleted study may still run on -gone/);
  await expect(warning).toBeVisible();
  await notebook(page).list.getByRole('button', { name: 'Show jobs' }).click();
  const jobs = dialog(page, 'Jobs on other machines');
  const rows = jobs.getByRole('list', { name: 'Jobs' }).getByRole('listitem');
  await expect(rows).toHaveText(
    /Of a deleted study, may still run-gone:~\/\.cache\/pawl\/jobs\/pawl-s1-4\.0/,
  );
  await takePictures(page, 'left-jobs');
  await jobs.getByRole('button', { name: 'Give up pawl-s1-4.0' }).click();
  const question = dialog(page, 'Give up pawl-s1-4.0?');
  await expect(question).toContainText('which cannot be undone');
  await takePictures(page, 'give-up-job');
  await question.getByRole('button', { name: 'Keep it' }).click();
  await expect(rows).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(jobs).toBeHidden();
  await runCommand(page, 'jobs', 'Jobs on other machines');
  await jobs.getByRole('button', { name: 'Give up pawl-s1-4.0' }).press('Enter');
  await question.getByRole('button', { name: 'Give up' }).press('Enter');
  await expect(jobs).toContainText('No job is left: all have ended, or were given up.');
});
