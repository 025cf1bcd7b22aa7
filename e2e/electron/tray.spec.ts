import { ask } from './calls.ts';
import { expect, listenForOpen, opened, test, trayIcon, trayLabels, trayOf } from './fixtures.ts';
import { startStudy } from './study.ts';

test('with nothing to run the tray is idle and opens the window', async ({ app, page }) => {
  await page.waitForLoadState();
  expect(await trayIcon(app)).toBe('idle');
  expect(await trayLabels(app)).toEqual(['Open Pawl', 'Quit Pawl']);
  await app.probe('blur');
  await app.probe('clickTray', 'Open Pawl');
  await expect.poll(() => app.probe('windows')).toMatchObject([{ isFocused: true }]);
});

test('the tray tells how the study stands, and pauses, resumes and stops it', async ({
  app,
  page,
  bench,
}) => {
  await bench.set('hold');
  await startStudy(page, bench, 50);
  await expect.poll(() => trayIcon(app)).toBe('running');
  await expect
    .poll(() => trayLabels(app))
    .toContainEqual(expect.stringMatching(/^#1: training, about \d+ min left$/));
  const labels = await trayLabels(app);
  expect(labels).toContain('night: running');
  expect(labels).toContain('Best so far: val_bpb 1.064 in #0');
  expect((await trayOf(app)).tooltip).toContain('night: running');

  await app.probe('clickTray', 'Pause after this experiment');
  await expect.poll(() => trayLabels(app)).toContain('night: pausing after this experiment');
  await bench.unset('hold');
  await expect.poll(() => trayIcon(app)).toBe('paused');
  expect(await trayLabels(app)).toContain('night: paused');

  await bench.set('hold');
  await app.probe('clickTray', 'Resume');
  await expect.poll(() => trayIcon(app)).toBe('running');
  await expect.poll(() => trayLabels(app)).toContainEqual(expect.stringMatching(/^#2: training/));
  await app.probe('clickTray', 'Stop after this experiment');
  await expect.poll(() => trayLabels(app)).toContain('night: stopping after this experiment');
  await bench.unset('hold');
  await expect.poll(() => trayIcon(app)).toBe('idle');
  expect(await trayLabels(app)).toContain('night: not running');
  const { studies } = await ask<{ studies: object[] }>(page, 'app/snapshot');
  expect(studies).toMatchObject([{ state: 'stopped', stopReason: 'user', cells: 3 }]);
});

test('the experiment in the tray opens in the window', async ({ app, page, bench }) => {
  await bench.set('hold');
  const study = await startStudy(page, bench, 1);
  await expect.poll(() => trayLabels(app)).toContainEqual(expect.stringMatching(/^#1: training/));
  await listenForOpen(page);
  const label = (await trayLabels(app)).find(text => text.startsWith('#1')) ?? '';
  await app.probe('clickTray', label);
  await expect.poll(() => opened(page)).toEqual([{ study: study.id, n: 1 }]);
});

test('what needs attention shows in the tray until somebody looks', async ({ app, page, bench }) => {
  await bench.set('broken');
  await app.probe('blur');
  await startStudy(page, bench, 1);
  await expect.poll(() => trayIcon(app)).toBe('attention');
  expect(await trayLabels(app)).toContain('night stopped and needs attention');
  await app.probe('clickTray', 'Open Pawl');
  await expect.poll(() => trayIcon(app)).toBe('idle');
});
