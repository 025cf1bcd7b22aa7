import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { takePicture } from './pictures.ts';

/** The rules of axe that depend on the theme. */
export const COLOURS = ['color-contrast', 'link-in-text-block'];

const OPEN_LIST = '[role="listbox"][data-state="open"]';

/** What sticks out of the window to the right: nobody can scroll there. */
export function overflow(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('header, main, aside, nav, [role="dialog"], [role="alert"]')]
      .filter(element => element.getBoundingClientRect().right > window.innerWidth + 1)
      .map(
        element => `wider than the window: ${element.tagName} ${element.getAttribute('aria-label') ?? ''}`,
      ),
  );
}

/** In the place of axe's own text, which takes a page long to read, where the page has read it already. */
const READ_ALREADY = ';';

/** One line for each thing axe objects to: the rule, the place and what to do. All rules where none are named. */
export async function violations(page: Page, rules: readonly string[]): Promise<readonly string[]> {
  const isRead = await page.evaluate(() => 'axe' in window);
  const builder = new AxeBuilder(isRead ? { page, axeSource: READ_ALREADY } : { page })
    // There are no frames, so nothing has to be put together on a page of its own.
    .setLegacyMode()
    .options({ resultTypes: ['violations'] });
  if (rules.length > 0) builder.withRules([...rules]);
  // What lies under a dialog, or under an open list to choose from, is a screen of its own.
  for (const over of [OPEN_LIST, '[role="dialog"]']) {
    if (!(await page.locator(over).isVisible())) continue;
    builder.include(over);
    break;
  }
  const result = await builder.analyze();
  return result.violations.flatMap(({ id, nodes }) =>
    nodes
      // An open menu lies over the page and belongs to its button, not to a landmark.
      .filter(({ target }) => id !== 'region' || !String(target).includes('radix-popper-content-wrapper'))
      .map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

/**
 * No complaint about it in either theme, and pictures of both.
 * @param more what else is wrong with it, in words
 */
export async function look(
  page: Page,
  name: string,
  more: (page: Page) => Promise<readonly string[]> = async () => [],
): Promise<void> {
  const complaints: string[] = [];
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    await takePicture(page, `${name}-${theme}`);
    complaints.push(...(await violations(page, theme === 'light' ? [] : COLOURS)), ...(await overflow(page)));
  }
  complaints.push(...(await more(page)));
  await page.emulateMedia({ colorScheme: 'light' });
  expect(complaints).toEqual([]);
}
