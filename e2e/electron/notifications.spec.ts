import { ask } from './calls.ts';
import { expect, listenForOpen, opened, test } from './fixtures.ts';
import { startStudy } from './study.ts';

type Shown = { readonly title: string; readonly body: string };

test('a new best is told with the old and the new value, and a click opens it', async ({
  app,
  page,
  bench,
}) => {
  await listenForOpen(page);
  const study = await startStudy(page, bench, 1);
  await expect.poll(() => app.probe<readonly Shown[]>('notifications')).toHaveLength(2);
  const [best, ended] = await app.probe<readonly Shown[]>('notifications');
  expect(best?.title).toBe('New best: 1.05');
  expect(best?.body).toBe('val_bpb 1.064 → 1.05 (−1.32 %) in experiment 1 of night.');
  expect(ended).toEqual({
    title: 'night has ended',
    body: expect.stringContaining('One experiment'),
  });
  await app.probe('blur');
  await app.probe('clickNotification', 0);
  await expect.poll(() => opened(page)).toEqual([{ study: study.id, n: 1 }]);
  await expect.poll(() => app.probe('windows')).toMatchObject([{ isVisible: true, isFocused: true }]);
});

test('several crashes in a row are told', async ({ app, page, bench }) => {
  await bench.set('crash');
  await startStudy(page, bench, 3);
  await expect
    .poll(() => app.probe('notifications'))
    .toMatchObject([{ title: 'night: 3 crashes in a row' }, { title: expect.stringContaining('ended') }]);
});

test('a study that stopped by itself asks for attention', async ({ app, page, bench }) => {
  await bench.set('broken');
  await startStudy(page, bench, 1);
  await expect
    .poll(() => app.probe('notifications'))
    .toMatchObject([{ title: 'night stopped and needs attention' }]);
});

test('a kind that is switched off is not shown', async ({ app, page, bench }) => {
  await ask(page, 'app/saveSettings', { notify: { new_best: false } });
  await startStudy(page, bench, 1);
  await expect.poll(() => app.probe('notifications')).toMatchObject([{ title: 'night has ended' }]);
});
