import { fileURLToPath } from 'node:url';
import { expect, type Page } from '@playwright/test';

/** The pictures are for people to look at. Git ignores this folder. */
const FOLDER = fileURLToPath(new URL('../screenshots/', import.meta.url));

/** Light first, because that is how tests begin. */
export const THEMES = ['light', 'dark'] as const;

const SIZES = [
  { width: 1920, height: 1080 },
  { width: 1280, height: 800 },
  { width: 900, height: 700 },
] as const;

export async function setTheme(page: Page, theme: (typeof THEMES)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
}

/**
 * Saves the page as `<name>-<width>-<theme>.png` in every size and theme, if PAWL_TEST_PICTURES is set: pictures take
 * longer than the checks themselves. Afterwards the page has the size it had before, and the light theme.
 */
export async function takePictures(page: Page, name: string): Promise<void> {
  if (!process.env.PAWL_TEST_PICTURES) return;
  const before = page.viewportSize();
  // The page's own size comes first, because an open list closes when the size changes.
  const own = SIZES.filter(({ width }) => width === before?.width);
  for (const size of [...own, ...SIZES.filter(size => !own.includes(size))]) {
    if (size.width !== page.viewportSize()?.width) await page.setViewportSize(size);
    for (const theme of THEMES) {
      await setTheme(page, theme);
      await page.screenshot({ path: `${FOLDER}${name}-${size.width}-${theme}.png` });
    }
  }
  await setTheme(page, 'light');
  if (before) await page.setViewportSize(before);
}
