import type { Page } from '@playwright/test';
import { expect, test } from './support/fixtures.ts';
import { cellOf, openWindow, runCommand, sidebar, startStudy, study } from './support/window.ts';

type Shown = { readonly title: string; readonly body: string };

/** Replaces the browser's notifications, because a page cannot find out whether one was shown. */
async function watchNotifications(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const shown: Double[] = [];
    class Double {
      static permission = 'default';
      static requestPermission(): Promise<string> {
        Double.permission = 'granted';
        return Promise.resolve('granted');
      }
      onclick: (() => void) | null = null;
      readonly title: string;
      readonly body: string;
      constructor(title: string, { body }: { readonly body: string }) {
        this.title = title;
        this.body = body;
        shown.push(this);
      }
      close(): void {}
    }
    Object.assign(window, { Notification: Double, shown });
  });
}

function shownIn(page: Page): Promise<readonly Shown[]> {
  return page.evaluate(() =>
    (window as unknown as { shown: readonly Shown[] }).shown.map(({ title, body }) => ({ title, body })),
  );
}

function click(page: Page, title: string): Promise<void> {
  return page.evaluate(wanted => {
    const { shown } = window as unknown as {
      shown: readonly { readonly title: string; readonly onclick: () => void }[];
    };
    shown.find(notification => notification.title === wanted)?.onclick();
  }, title);
}

const crash = (batch: number) => ({
  hypothesis: `Batches of ${batch}`,
  set: { BATCH_SIZE: String(batch) },
});

test('what waits, a new best, crashes in a row and the end are told, and a click leads there', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    turns: [
      { hypothesis: 'Double the learning rate', set: { LEARNING_RATE: '0.04' } },
      ...[512, 513, 514].map(crash),
    ],
  });
  await watchNotifications(page);
  await openWindow(page, await serve());
  await runCommand(page, 'settings', 'Settings');
  await page.getByRole('dialog').getByRole('button', { name: 'Allow' }).click();
  await page.keyboard.press('Escape');
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 4 });
  await bench.untilHeld();
  await study(page).header.getByRole('button', { name: 'Proposals run without your approval' }).click();
  await expect(page.getByText('Proposals of night wait for your approval.')).toBeVisible();
  await bench.letGo();
  const titles = async () => (await shownIn(page)).map(({ title }) => title);
  await expect.poll(titles).toEqual(['night: a proposal waits for you']);
  expect((await shownIn(page))[0]?.body).toBe('Double the learning rate');
  await study(page).header.getByRole('button', { name: 'Proposals wait for your approval' }).click();
  await expect.poll(titles).toContain('night has ended');
  const [, best, crashes, ended, ...more] = await shownIn(page);
  expect(more).toEqual([]);
  expect(best).toEqual({
    title: 'New best: 1.269',
    body: 'val_bpb 1.299 → 1.269 (−2.31 %) in experiment 1 of night.',
  });
  expect(crashes?.title).toBe('night: 3 crashes in a row');
  expect(crashes?.body).toContain('CUDA out of memory');
  expect(ended).toMatchObject({ body: expect.stringContaining('4 experiments are done.') });
  await sidebar(page).button('Open a project').click();
  await click(page, 'New best: 1.269');
  await expect(study(page).heading).toHaveText('night');
  await expect(cellOf(page, 1).panel).toBeVisible();
});

test('a study that stopped by itself asks for attention, and a kind that is switched off is not shown', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    turns: [
      { hypothesis: 'Double the learning rate', set: { LEARNING_RATE: '0.04' } },
      // An edit that changes nothing is refused every time.
      ...Array.from({ length: 9 }, () => ({ hypothesis: 'Nothing', set: {} })),
    ],
  });
  await watchNotifications(page);
  await openWindow(page, await serve());
  await runCommand(page, 'settings', 'Settings');
  await page.getByRole('dialog').getByRole('button', { name: 'Allow' }).click();
  await page.getByRole('switch', { name: /^A new best/ }).uncheck();
  await page.keyboard.press('Escape');
  await startStudy(page, bench, { tag: 'night', experiments: 4 });
  await expect
    .poll(async () => (await shownIn(page)).map(({ title }) => title))
    .toContain('night stopped and needs attention');
  expect((await shownIn(page)).filter(({ title }) => title.startsWith('New best'))).toEqual([]);
});
