import type { Locator, Page } from '@playwright/test';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import {
  dialog,
  notebook,
  openNotebook,
  openWindow,
  runCommand,
  setUp,
  sidebar,
  study,
  welcome,
} from './support/window.ts';

const list = (page: Page) => page.getByRole('listbox');

async function lookAtOpen(page: Page, name: string, field: Locator): Promise<void> {
  await field.click();
  await expect(list(page)).toBeInViewport({ ratio: 1 });
  await look(page, name);
  await page.keyboard.press('Escape');
  await expect(list(page)).toBeHidden();
}

test.describe('a list to choose from', () => {
  test('is opened, left and chosen from by keyboard', async ({ page, night }) => {
    await openWindow(page, night.server);
    await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
    const proposer = setUp(page).field('Proposer');
    await proposer.focus();
    const chosen = page.getByRole('option', { name: 'Search over constants (no network)' });
    for (const key of ['Enter', ' ', 'ArrowDown', 'ArrowUp']) {
      await page.keyboard.press(key);
      await expect(chosen).toBeFocused();
      await page.keyboard.press('ArrowDown');
      await expect(chosen).not.toBeFocused();
      await page.keyboard.press('Escape');
      await expect(proposer).toBeFocused();
    }
    await expect(proposer).toHaveText(/^Search over constants/);
    await page.keyboard.press('Enter');
    await expect(list(page)).toHaveAccessibleName('Proposer');
    await page.keyboard.press('End');
    await expect(page.getByRole('option').last()).toBeFocused();
    await page.keyboard.press('Home');
    await expect(page.getByRole('option').first()).toBeFocused();
    // A repeated letter moves to the next match, no matter how much time passes in between.
    for (const found of ['A command that edits the files', 'A folder of patches']) {
      await page.keyboard.press('a');
      await expect(page.getByRole('option', { name: found })).toBeFocused();
    }
    await page.keyboard.press('Enter');
    await expect(proposer).toHaveText('A folder of patches');
    await expect(proposer).toBeFocused();
    // A letter chooses an option in a closed list too.
    await page.keyboard.type('s');
    await expect(proposer).toHaveText(/^Search over constants/);
  });

  test('keeps letters that mean something elsewhere', async ({ page, night }) => {
    await openNotebook(page, night.server, NIGHT_TAG);
    await notebook(page).category.focus();
    await page.keyboard.type('o');
    await expect(notebook(page).category).toHaveText('optimizer');
    await page.keyboard.press('Enter');
    await expect(list(page)).toBeVisible();
    await page.keyboard.type('s');
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.keyboard.press('Escape');
    await expect(list(page)).toBeHidden();
  });

  test('in a dialog is left with Escape, and the dialog is not', async ({ page, night }) => {
    await openNotebook(page, night.server, NIGHT_TAG);
    await sidebar(page).button('Settings').click();
    const theme = dialog(page, 'Settings').getByLabel('Theme');
    await expect(theme).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(list(page)).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(list(page)).toBeHidden();
    await expect(theme).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(dialog(page, 'Settings')).toBeHidden();
    await expect(sidebar(page).button('Settings')).toBeFocused();
  });

  test('looks right in a narrow window', async ({ page, night }) => {
    await page.setViewportSize({ width: 900, height: 800 });
    await openNotebook(page, night.server, NIGHT_TAG);
    await lookAtOpen(page, 'list-category', notebook(page).category);
    await sidebar(page).button('Settings').click();
    await lookAtOpen(page, 'list-theme', dialog(page, 'Settings').getByLabel('Theme'));
    await page.keyboard.press('Escape');
    await page.keyboard.press('o');
    await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
    await expect(setUp(page).checks.getByRole('img').first()).toBeVisible();
    await lookAtOpen(page, 'list-proposer', setUp(page).field('Proposer'));
  });
});

test.describe('tabs', () => {
  test('are one stop, with arrows, Home and End between them', async ({ page, night }) => {
    await openNotebook(page, night.server, NIGHT_TAG);
    await study(page).tab('Notebook').focus();
    for (const [key, tab] of [
      ['ArrowRight', 'Live'],
      ['End', 'Lineage'],
      ['ArrowRight', 'Notebook'],
      ['ArrowLeft', 'Lineage'],
      ['Home', 'Notebook'],
    ] as const) {
      await page.keyboard.press(key);
      await expect(study(page).tab(tab)).toBeFocused();
      await expect(study(page).tab(tab)).toHaveAttribute('aria-selected', 'true');
    }
    await page.keyboard.press('Tab');
    await expect(page.locator('[role="tab"]:focus')).toHaveCount(0);
    await page.keyboard.press('Shift+Tab');
    await expect(study(page).tab('Notebook')).toBeFocused();
  });

  test('do not go back to the one that has the focus when another was chosen by a key', async ({
    page,
    night,
  }) => {
    await openNotebook(page, night.server, NIGHT_TAG);
    await study(page).tab('Notebook').click();
    await page.keyboard.press('3');
    await expect(study(page).tab('Compare')).toHaveAttribute('aria-selected', 'true');
    await runCommand(page, 'live', 'Live');
    await expect(study(page).tab('Notebook')).toBeFocused();
    await expect(study(page).tab('Live')).toHaveAttribute('aria-selected', 'true');
    // The same happens when the window comes back to the front.
    await study(page)
      .tab('Notebook')
      .evaluate(tab => {
        tab.blur();
        tab.focus();
      });
    await expect(study(page).tab('Live')).toHaveAttribute('aria-selected', 'true');
  });
});
