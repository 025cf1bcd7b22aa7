import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { openProject, openWindow, setUp } from './support/window.ts';

test('the set-up checks a metric before a night, and says what it is worth', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({ seconds: 0.1, steps: 8 });
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  const { checks, field, metricCheck, unfold } = setUp(page);
  await expect(checks).toContainText(/budget\.seconds is \d+: time-boxed if the code trains for/);
  await field('Hours').fill('2');
  await metricCheck.begin.click();
  const told = metricCheck.region.getByRole('list', { name: 'What the metric is worth' });
  await expect(told).toContainText('3 runs of the unchanged code all gave val_bpb');
  await expect(told).toContainText('2 h have room for');
  await expect(told).toContainText('With LEARNING_RATE = 2.0 instead of 0.02 (train.py)');
  await expect(told).toContainText('the number notices');
  await expect(told).toContainText('With SEED = 1 and 2 instead of 0 (train.py)');
  // The preflight also shows how long the check's baseline took.
  await expect(checks).toContainText('The last baseline: It trains for');
  await expect(metricCheck.region).not.toContainText('The form has changed since.');
  await told.scrollIntoViewIfNeeded();
  await takePictures(page, 'metric-check');
  await unfold('Which number counts');
  await field('Budget (seconds)').fill('9');
  await expect(metricCheck.region).toContainText('The form has changed since.');
  expect(await bench.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

test('a check is ended from the window, and the study can begin', async ({ page, serve, bench }) => {
  await bench.hold();
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  const { start, metricCheck } = setUp(page);
  await metricCheck.begin.click();
  await bench.untilHeld();
  await expect(metricCheck.region.getByRole('status')).toHaveText('Run 1 of 4 …');
  await start.click();
  await expect(page.getByRole('alert')).toContainText('A metric is being checked');
  await takePictures(page, 'metric-check-runs');
  await metricCheck.region.getByRole('button', { name: 'Stop the check' }).click();
  await expect(metricCheck.region).toContainText('The check was stopped and has left nothing behind.');
  await expect(metricCheck.begin).toBeEnabled();
  expect(await bench.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});
