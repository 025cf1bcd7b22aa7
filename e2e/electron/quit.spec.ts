import { findMarked } from '../../test/support/processes.ts';
import { ask } from './calls.ts';
import { expect, loadedPage, openDialogs, test, trayIcon, trayLabels } from './fixtures.ts';
import { startStudy } from './study.ts';

test('with nothing running a quit asks nothing', async ({ app, page }) => {
  await page.waitForLoadState();
  await app.probe('quit');
  expect(await app.ended).toBe(0);
});

test('a quit while something trains asks once, and can be taken back', async ({ app, page, bench }) => {
  await bench.set('hold');
  const study = await startStudy(page, bench, 1);
  await expect.poll(() => findMarked(study.id)).not.toEqual([]);
  await expect.poll(() => trayLabels(app)).toContainEqual(expect.stringMatching(/^#1: training/));
  await app.probe('quit');
  await expect.poll(() => openDialogs(app)).toHaveLength(1);
  await app.probe('quit');
  await expect.poll(() => app.probe('quits')).toBe(2);
  await app.probe('clickTray', 'Quit Pawl');
  expect(await ask(page, 'app/ping')).toBe('pong');
  const [dialog, ...more] = await openDialogs(app);
  expect(more).toEqual([]);
  expect(dialog).toMatchObject({
    message: 'night is running experiment 1.',
    buttons: ['Stop and quit', 'Keep running'],
  });
  await app.probe('answerMessageBox', 1);
  await expect.poll(() => trayIcon(app)).toBe('running');
  expect(await findMarked(study.id)).not.toEqual([]);
});

test('a quit that is meant stops the training, keeps what is finished, and can be resumed', async ({
  start,
  bench,
}) => {
  const app = await start();
  const page = await loadedPage(app);
  await bench.set('hold');
  const study = await startStudy(page, bench, 2);
  await expect.poll(() => trayLabels(app)).toContainEqual(expect.stringMatching(/^#1: training/));
  await app.probe('quit');
  await expect.poll(() => openDialogs(app)).toHaveLength(1);
  await app.probe('answerMessageBox', 0);
  expect(await app.ended).toBe(0);
  expect(await findMarked(study.id)).toEqual([]);

  await bench.unset('hold');
  const again = await start({ home: app.home });
  const newPage = await loadedPage(again);
  const snapshot = await ask<{ studies: object[] }>(newPage, 'app/snapshot');
  expect(snapshot.studies).toMatchObject([{ state: 'stopped', stopReason: 'user', tally: { finished: 1 } }]);
  await ask(newPage, 'studies/resume', { study: study.id });
  await expect
    .poll(() => ask<{ studies: object[] }>(newPage, 'app/snapshot'))
    .toMatchObject({ studies: [{ state: 'stopped', stopReason: 'experiments', tally: { finished: 3 } }] });
});

test('closing the window leaves the study running in the tray', async ({ app, page, bench }) => {
  await bench.set('hold');
  const study = await startStudy(page, bench, 1);
  await expect.poll(() => findMarked(study.id)).not.toEqual([]);
  // `hold` does not stop the baseline, and for a moment after it nothing trains.
  await expect.poll(() => trayLabels(app)).toContainEqual(expect.stringMatching(/^#1: training/));
  await app.probe('closeWindow');
  await expect.poll(() => app.probe('windows')).toMatchObject([{ isVisible: false }]);
  expect(await openDialogs(app)).toEqual([]);
  expect(await findMarked(study.id)).not.toEqual([]);
  await app.probe('clickTray', 'Open Pawl');
  await expect.poll(() => app.probe('windows')).toMatchObject([{ isVisible: true }]);
});

test('closing the window with nothing running quits', async ({ app, page }) => {
  await page.waitForLoadState();
  await app.probe('closeWindow').catch(() => {});
  expect(await app.ended).toBe(0);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} stops the training and asks nobody`, async ({ app, page, bench }) => {
    await bench.set('hold');
    const study = await startStudy(page, bench, 1);
    await expect.poll(() => findMarked(study.id)).not.toEqual([]);
    app.process.kill(signal);
    expect(await app.ended).toBe(0);
    expect(await findMarked(study.id)).toEqual([]);
  });
}

test('a system that shuts down stops the training and asks nobody', async ({ app, page, bench }) => {
  await bench.set('hold');
  const study = await startStudy(page, bench, 1);
  await expect.poll(() => findMarked(study.id)).not.toEqual([]);
  await app.probe('shutdown').catch(() => {});
  expect(await app.ended).toBe(0);
  expect(await findMarked(study.id)).toEqual([]);
});
