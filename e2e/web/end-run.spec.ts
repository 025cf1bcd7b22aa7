import type { Page } from '@playwright/test';
import type { Bench } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import type { Server } from './support/server.ts';
import { cellOf, dialog, openWindow, startStudy, study } from './support/window.ts';

/** Starts a study that is held in its first experiment. Returns the number of that experiment. */
async function startHeld(page: Page, server: Server, bench: Bench, experiments: number): Promise<number> {
  await openWindow(page, server);
  await bench.hold(1);
  await startStudy(page, bench, { tag: 'night', experiments });
  await expect(cellOf(page, 0).region).toContainText('keep');
  return bench.untilHeld();
}

test('the run of one experiment is ended, after a question, and the study goes on', async ({
  page,
  serve,
  bench,
}) => {
  const held = await startHeld(page, await serve(), bench, 4);
  await study(page).tab('Live').click();
  const curve = page.getByRole('region', { name: 'Live curve' });
  const question = dialog(page, `End the run of #${held}?`);
  await curve.getByRole('button', { name: 'End this run …' }).click();
  await expect(question).toContainText('The study continues.');
  await question.getByRole('button', { name: 'Keep training' }).click();
  await expect(question).toBeHidden();
  await curve.getByRole('button', { name: 'End this run …' }).click();
  await question.getByRole('button', { name: 'End this run' }).click();
  await study(page).tab('Notebook').click();
  await expect(cellOf(page, held).region).toContainText('You stopped this run.');
  await expect(study(page).header).toContainText('Running');
  await bench.letGo();
  await expect(study(page).header).toContainText('Ended');
});

test('a run is ended by keyboard: Enter asks, Escape and Enter at once keep it', async ({
  page,
  serve,
  bench,
}) => {
  const held = await startHeld(page, await serve(), bench, 1);
  await page.keyboard.press('2');
  const curve = page.getByRole('region', { name: 'Live curve' });
  const button = curve.getByRole('button', { name: 'End this run …' });
  const question = dialog(page, `End the run of #${held}?`);
  await button.press('Enter');
  await expect(question).toBeVisible();
  await look(page, 'end-run');
  await page.keyboard.press('Escape');
  await expect(question).toBeHidden();
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(question.getByRole('button', { name: 'Close' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(question).toBeHidden();
  await expect(button).toBeFocused();
  await expect(curve).toContainText('Training');
  await page.keyboard.press('Enter');
  await expect(question.getByRole('button', { name: 'Close' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(question.getByRole('button', { name: 'End this run' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('1');
  await expect(cellOf(page, held).region).toContainText('You stopped this run.');
  await bench.letGo();
});
