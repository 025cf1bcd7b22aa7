import { expect, test } from './support/fixtures.ts';
import { dialog, openWindow } from './support/window.ts';

const CODE = '**/assets/settings-dialog-*.js';

test('a dialog whose code cannot be fetched says so, and opens when it can', async ({ page, serve }) => {
  await page.route(CODE, route => route.abort('connectionrefused'));
  await openWindow(page, await serve());
  await page.getByRole('button', { name: 'Settings' }).click();
  const notice = page.getByRole('alert').filter({ hasText: 'could not be loaded' });
  await expect(notice).toBeVisible();
  await page.unroute(CODE);
  await notice.getByRole('button', { name: 'Try again' }).click();
  await expect(dialog(page, 'Settings')).toBeVisible();
  await expect(notice).toBeHidden();
});
