import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, chooseFrom, openCell, openWindow, startStudy, study } from './support/window.ts';

/** A number that the learning rate decides, with the noise of a training around it: of each run its own, always the same. */
const NOISY = `command = """python3 -c "
import os, random, re
rate = float(re.search('LEARNING_RATE = (.*)', open('train.py').read()).group(1))
random.seed(os.environ['PAWL_RUN'].split('/')[1])
print('val_bpb: %.6f' % (1.2 - 0.1 * rate + random.gauss(0, 0.0007)))
" """
verdict = "honest"`;

test('what is claimed of a gain is told with how sure it is, and more of it can be asked for', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    metric: NOISY,
    ...{ seconds: 0.1, steps: 8 },
    turns: [
      { hypothesis: 'Ten times the learning rate', category: 'optimizer', set: { LEARNING_RATE: '0.2' } },
      { hypothesis: 'Half of it again', category: 'optimizer', set: { LEARNING_RATE: '0.1' } },
    ],
  });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 2 });
  const { header } = study(page);
  await expect(header).toContainText('Ended');
  await expect(cellOf(page, 1).region).toContainText(/keep.*proven/);
  const claims = header.getByTestId('claims');
  await expect(claims).toContainText(/Gain over 4 fresh runs: −0\.01[6-9]\d* ± 0\.00\d/);
  await expect(claims).toContainText('1 keep, 1 proven');
  await expect(claims).toContainText(/differ by σ 0\.00\d+ \(5 repeats\)/);
  await expect(page.getByText(/baseline again/)).toBeVisible();
  const cell = await openCell(page, 1);
  await expect(cell.section('Numbers')).toContainText('mean of 3 runs');
  await takePictures(page, 'claims');

  await study(page).control('More').click();
  await page.getByRole('menuitem', { name: /Audit the gains/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Gain over 4 fresh runs');
  await dialog.getByLabel('Maximum trainings').fill('0');
  await expect(dialog.getByRole('button', { name: 'Audit' })).toBeDisabled();
  await dialog.getByLabel('Maximum trainings').fill('4');
  await takePictures(page, 'audit');
  await dialog.getByRole('button', { name: 'Audit' }).click();
  await expect(dialog).toBeHidden();
  await expect(claims).toContainText('(9 repeats)');
  await expect(header).toContainText('measured again');
});

test('who stops a study is asked once whether its gains are to be measured', async ({
  page,
  serve,
  makeBench,
}) => {
  const worse = (rate: number) => ({
    ...{ hypothesis: `A rate of ${rate}`, category: 'optimizer', set: { LEARNING_RATE: String(rate) } },
  });
  const bench = await makeBench({
    metric: NOISY,
    ...{ seconds: 0.1, steps: 8 },
    turns: [worse(0.2), worse(0.09)],
  });
  await openWindow(page, await serve());
  await bench.hold(2);
  await startStudy(page, bench, { tag: 'night', experiments: 8 });
  await expect(cellOf(page, 1).region).toContainText('keep');
  await chooseFrom(page, study(page).control('Stop'), 'Stop after this experiment');
  await expect(study(page).header).toContainText('stops after this one');
  await bench.letGo();
  const question = page.getByText('night is stopped.');
  await expect(question).toBeVisible();
  await takePictures(page, 'audit-question');
  await page.getByRole('button', { name: 'Audit …' }).click();
  await expect(page.getByRole('dialog')).toContainText('Not audited, so no gain is claimed');
});
