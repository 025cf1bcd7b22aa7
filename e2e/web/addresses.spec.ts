import type { Page } from '@playwright/test';
import { CORE, expect, test } from './support/fixtures.ts';
import { NIGHT_TAG } from './support/night.ts';
import {
  cellOf,
  notebook,
  openCell,
  openNotebook,
  openWindow,
  setUp,
  study,
  welcome,
} from './support/window.ts';

const hash = (page: Page) => new URL(page.url()).hash;

/** Loads another page in the same tab, so the token in the tab's session storage stays. */
async function goTo(page: Page, address: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(address);
}

test.describe('of a study', () => {
  test.beforeEach(({ page, night }) => openNotebook(page, night.server, NIGHT_TAG));

  test('Back and Forward go through tabs and opened experiments', CORE, async ({ page }) => {
    await openCell(page, 12);
    await study(page).tab('Compare').click();
    await study(page).tab('program.md').click();
    await page.goBack();
    await expect(study(page).tab('Compare')).toHaveAttribute('aria-selected', 'true');
    await page.goBack();
    await expect(cellOf(page, 12).panel).toBeVisible();
    await page.goForward();
    await expect(study(page).tab('Compare')).toHaveAttribute('aria-selected', 'true');
    await page.goForward();
    await expect(study(page).tab('program.md')).toHaveAttribute('aria-selected', 'true');
    // After a step back, a new place replaces the places that Forward would have returned to.
    await page.goBack();
    await study(page).tab('Live').click();
    await page.goBack();
    await expect(study(page).tab('Compare')).toHaveAttribute('aria-selected', 'true');
  });

  test('Back leads from one screen to the one before, and never out of Pawl first', async ({ page }) => {
    await page.keyboard.press('o');
    await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
    await expect(setUp(page).heading).toBeVisible();
    await page.goBack();
    await expect(welcome(page).region).toBeVisible();
    await page.goBack();
    await expect(study(page).heading).toHaveText(NIGHT_TAG);
  });

  test('walking through the experiments makes no steps to go back through', async ({ page }) => {
    const before = await page.evaluate(() => history.length);
    for (const key of ['j', 'j', 'j']) await page.keyboard.press(key);
    await expect.poll(() => hash(page)).toMatch(/^#\/study\/[^/]+\/notebook\/11$/);
    expect(await page.evaluate(() => history.length)).toBe(before);
  });

  test('whoever holds the key down has the address written once, where they come to rest', async ({
    page,
  }) => {
    const written = await page.evaluateHandle(() => {
      const addresses: string[] = [];
      const replace = history.replaceState.bind(history);
      history.replaceState = (state, title, address) => {
        addresses.push(String(address));
        replace(state, title, address);
      };
      const press = () =>
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
      for (let presses = 0; presses < 5; presses += 1) press();
      return addresses;
    });
    await expect.poll(() => hash(page)).toMatch(/\/notebook\/9$/);
    expect(await written.jsonValue()).toEqual([hash(page)]);
  });

  test('a reload right after one step keeps the selected experiment', CORE, async ({ page }) => {
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.reload();
    await expect(cellOf(page, 12).region).toBeVisible();
    await expect.poll(() => hash(page)).toMatch(/\/notebook\/12$/);
    await cellOf(page, 11).toggle.click();
    await page.reload();
    await expect(cellOf(page, 11).panel).toBeVisible();
    await cellOf(page, 11).toggle.click();
    await page.reload();
    await expect(cellOf(page, 11).region).toBeVisible();
    await expect(cellOf(page, 11).panel).toBeHidden();
  });

  test('an address opened anew lands at its experiment, and at its tab', CORE, async ({ page }) => {
    await openCell(page, 3);
    const address = page.url();
    expect(hash(page)).toMatch(/^#\/study\/[^/]+\/notebook\/3$/);
    await goTo(page, address.replace(/3$/, '9'));
    await expect(cellOf(page, 9).panel).toBeVisible();
    await expect(cellOf(page, 9).region).toBeInViewport();
    await goTo(page, address.replace('notebook/3', 'compare'));
    await expect(study(page).tab('Compare')).toHaveAttribute('aria-selected', 'true');
    await page.reload();
    await expect(study(page).tab('Compare')).toHaveAttribute('aria-selected', 'true');
    // The user types an address while the window is open.
    await page.goto(address.replace(/3$/, '5'));
    await expect(cellOf(page, 5).panel).toBeVisible();
  });

  test('an address that names nothing falls back, and says so', CORE, async ({ page }) => {
    const address = page.url();
    await goTo(page, `${address.split('#')[0]}#/study/gone/notebook/3`);
    await expect(page.getByText('The study of this address is not in the ledger.')).toBeVisible();
    await expect(study(page).heading).toHaveText(NIGHT_TAG);
    await expect.poll(() => hash(page)).toMatch(/^#\/study\/(?!gone)/);
    await goTo(page, `${address.split('#')[0]}#/garden`);
    await expect(page.getByText('Nothing in Pawl has the address #/garden.')).toBeVisible();
    await expect(notebook(page).list).toBeVisible();
    await goTo(page, `${address.replace(/\/notebook.*$/, '')}/notebook/99`);
    await expect(page.getByText(`${NIGHT_TAG} has no experiment #99.`)).toBeVisible();
    await expect(notebook(page).list).toBeVisible();
  });
});

test('the printed address written over that of an open window leaves no token in it', async ({
  page,
  night,
}) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await openCell(page, 3);
  const before = hash(page);
  await page.goto(night.server.url);
  await expect.poll(() => hash(page)).toBe(before);
  await expect(cellOf(page, 3).panel).toBeVisible();
  const token = new URL(night.server.url).hash.replace('#token=', '');
  expect(token.length).toBeGreaterThan(20);
  expect(page.url()).not.toContain(token);
  expect(await page.content()).not.toContain(token);
});

test('the address of a set-up is that of its repository', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await welcome(page).path.fill(bench.repository);
  await welcome(page).open.click();
  await expect(setUp(page).heading).toHaveText('New study in byte-model');
  await page.reload();
  await expect(setUp(page).heading).toHaveText('New study in byte-model');
  await page.goBack();
  await expect(welcome(page).region).toBeVisible();
  await page.goForward();
  await expect(setUp(page).heading).toHaveText('New study in byte-model');
});
