import type { Locator, Page } from '@playwright/test';
import { CORE, expect, test } from './support/fixtures.ts';
import { NIGHT_TAG } from './support/night.ts';
import { takePictures } from './support/pictures.ts';
import {
  cellOf,
  notebook,
  openCell,
  openNotebook,
  openWindow,
  sidebar,
  startStudy,
  study,
} from './support/window.ts';

const LONG_HYPOTHESIS =
  'Keep the warm-up and the decay as they are, halve the batch, and in exchange set LEARNING_RATE to 0.0412';

/** Says whether the words in a cell's row are fully visible, so that no box around them clips them. */
async function isReadable(page: Page, n: number, words: string): Promise<boolean> {
  return cellOf(page, n).toggle.evaluate((button, wanted) => {
    const walker = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.textContent?.lastIndexOf(wanted) ?? -1;
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      const text = range.getBoundingClientRect();
      for (let box = node.parentElement; box && box !== document.body; box = box.parentElement) {
        const { left, right } = box.getBoundingClientRect();
        const clips = getComputedStyle(box).overflowX !== 'visible';
        if (clips && (text.left < left - 1 || text.right > right + 1)) return false;
      }
      return true;
    }
    return false;
  }, words);
}

for (const width of [600, 900, 1280, 1920]) {
  test(`at ${width} px the value that a hypothesis changed can be read`, async ({
    page,
    serve,
    makeBench,
  }) => {
    const bench = await makeBench({
      turns: [{ hypothesis: LONG_HYPOTHESIS, set: { LEARNING_RATE: '0.0412' } }],
      seconds: 0.8,
    });
    await openWindow(page, await serve());
    await startStudy(page, bench, { tag: NIGHT_TAG, experiments: 2 });
    await expect(cellOf(page, 1).region).toContainText('keep');
    await page.setViewportSize({ width, height: 800 });
    await expect.poll(() => isReadable(page, 1, '0.0412')).toBe(true);
    await expect(cellOf(page, 1).toggle).toHaveAttribute('title', LONG_HYPOTHESIS);
    await takePictures(page, 'layout-running');
  });
}

test('at 1920 px no row has an empty stretch of half the window', async ({ page, night }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await openNotebook(page, night.server, NIGHT_TAG);
  const gap = await cellOf(page, 13).region.evaluate(row => {
    const texts: (readonly [number, number])[] = [];
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const { left, right, width } = range.getBoundingClientRect();
      if (width > 0) texts.push([left, right]);
    }
    texts.sort(([a], [b]) => a - b);
    let end = texts[0]?.[1] ?? 0;
    let widest = 0;
    for (const [left, right] of texts) {
      widest = Math.max(widest, left - end);
      end = Math.max(end, right);
    }
    return widest;
  });
  expect(gap).toBeLessThan(500);
});

test('an opened cell gets three fifths of a window of 800 px', CORE, async ({ page, night }) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await openCell(page, 12);
  const seen = () =>
    cellOf(page, 12).region.evaluate(row => {
      const { top, bottom } = row.getBoundingClientRect();
      const list = row.closest('[data-testid="notebook-list"]')?.getBoundingClientRect();
      return list ? Math.min(bottom, list.bottom) - Math.max(top, list.top) : 0;
    });
  await expect.poll(seen).toBeGreaterThanOrEqual(480);
  await expect(notebook(page).chart).toBeInViewport();
});

test('the filters stand in one line', async ({ page, night }) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  for (const width of [900, 1280, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    await expect
      .poll(
        () =>
          notebook(page)
            .filter.boundingBox()
            .then(box => box?.height ?? 0),
        { message: `${width}` },
      )
      .toBeLessThan(50);
  }
});

test('the controls share the line of the title, and the best stays beside the counts', async ({
  page,
  night,
}) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  for (const width of [900, 1280]) {
    await page.setViewportSize({ width, height: 700 });
    const top = (part: Locator) => part.boundingBox().then(box => box?.y ?? 0);
    await expect(async () => {
      const title = await top(study(page).heading);
      expect(Math.abs((await top(study(page).controls)) - title), `${width}`).toBeLessThan(16);
      expect((await top(study(page).best)) - title, `${width}`).toBeLessThan(60);
    }).toPass();
  }
});

test.describe('the sidebar', () => {
  test.beforeEach(({ page, night }) => openNotebook(page, night.server, NIGHT_TAG));

  const width = (page: Page) =>
    sidebar(page)
      .region.boundingBox()
      .then(box => box?.width ?? 0);

  test('folds by its button and its key, and stays so over a reload', CORE, async ({ page }) => {
    await sidebar(page).button('Fold the sidebar').click();
    await expect.poll(() => width(page)).toBeLessThan(64);
    await expect(sidebar(page).study(NIGHT_TAG)).toBeHidden();
    await page.reload();
    await expect(study(page).heading).toHaveText(NIGHT_TAG);
    await expect.poll(() => width(page)).toBeLessThan(64);
    await page.keyboard.press('Control+b');
    await expect(sidebar(page).study(NIGHT_TAG)).toBeVisible();
    await page.keyboard.press('Control+b');
    await expect(sidebar(page).study(NIGHT_TAG)).toBeHidden();
  });

  test('folds by itself in a narrow window, and opens over it', async ({ page }) => {
    await page.setViewportSize({ width: 800, height: 800 });
    await expect.poll(() => width(page)).toBeLessThan(64);
    await sidebar(page).button('Unfold the sidebar').click();
    await expect(sidebar(page).study(NIGHT_TAG)).toBeVisible();
    await sidebar(page).study(NIGHT_TAG).click();
    await expect.poll(() => width(page)).toBeLessThan(64);
    await page.setViewportSize({ width: 1280, height: 800 });
    await expect(sidebar(page).study(NIGHT_TAG)).toBeVisible();
  });
});
