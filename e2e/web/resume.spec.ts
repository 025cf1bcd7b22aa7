import { choose } from '../choose.ts';
import { CORE, expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { cellOf, dialog, openCell, openWindow, startStudy, study } from './support/window.ts';

test('a study goes on with another proposer', CORE, async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  await study(page).control('Resume').click();
  const resume = dialog(page, 'Resume night');
  await expect(resume.getByText('Proposer command')).toBeVisible();
  await resume.getByRole('button', { name: 'Change the proposer …' }).click();
  await expect(resume.getByLabel('Command line')).toHaveValue(bench.command);
  // The dialog does not send an invalid value, and shows the message at its field.
  await resume.getByLabel('Command line').fill('');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume.getByLabel('Command line')).toHaveAccessibleDescription(
    'Write the command line of the proposer.',
  );
  await expect(resume.getByLabel('Experiments')).toHaveAccessibleDescription('One is done.');
  await page.setViewportSize({ width: 900, height: 700 });
  await expect(resume.getByRole('button', { name: 'Resume' })).toBeInViewport({ ratio: 1 });
  await look(page, 'resume-proposer');
  await choose(resume.getByLabel('Proposer', { exact: true }), 'Search over constants (no network)');
  await resume.getByLabel('Experiments').fill('2');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume).toBeHidden();
  await expect(cellOf(page, 2).region).toContainText(/keep|discard/);
  await expect((await openCell(page, 2)).section('Numbers')).toContainText(/proposed by\s*search/);
  await expect(study(page).header).toContainText('Ended');
  await study(page).control('Resume').click();
  await expect(resume.getByText('Proposer search')).toBeVisible();
});

test('a study goes on with proposals that start from other lines', async ({ page, serve, makeBench }) => {
  const worse = { hypothesis: 'Decay the weights more', set: { WEIGHT_DECAY: '0.5' } };
  const bench = await makeBench({ turns: [worse] });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 1).region).toContainText('worse');
  await study(page).control('Resume').click();
  const resume = dialog(page, 'Resume night');
  const choice = resume.getByLabel('Where proposals start');
  await expect(choice).toHaveText('Always from the best so far');
  await choose(choice, 'One in three from another line');
  await resume.getByLabel('Experiments').fill('3');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume).toBeHidden();
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 2).region).not.toContainText('from #');
  await expect(cellOf(page, 3).region).toContainText('from #1');
  await page.reload();
  await study(page).control('Resume').click();
  await expect(choice).toHaveText('One in three from another line');
});
