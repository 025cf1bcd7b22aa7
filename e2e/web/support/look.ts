import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { setTheme, THEMES, takePictures } from './pictures.ts';

/** The axe rules that depend on the theme. */
export const COLOURS = ['color-contrast', 'link-in-text-block'];

const OPEN_LIST = '[role="listbox"][data-state="open"]';

/** Returns the elements that extend beyond the right edge of the window, where nobody can scroll. */
export function overflow(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('header, main, aside, nav, [role="dialog"], [role="alert"]')]
      .filter(element => element.getBoundingClientRect().right > window.innerWidth + 1)
      .map(
        element => `wider than the window: ${element.tagName} ${element.getAttribute('aria-label') ?? ''}`,
      ),
  );
}

/** Replaces axe's source code if the page has loaded it already, because loading it takes long. */
const READ_ALREADY = ';';

/** Returns a line for each violation that axe finds: rule, place and remedy. An empty `rules` means all rules. */
export async function violations(page: Page, rules: readonly string[]): Promise<readonly string[]> {
  const isRead = await page.evaluate(() => 'axe' in window);
  const builder = new AxeBuilder(isRead ? { page, axeSource: READ_ALREADY } : { page })
    // The window has no frames, so axe needs no extra page to combine their results.
    .setLegacyMode()
    .options({ resultTypes: ['violations'] });
  if (rules.length > 0) builder.withRules([...rules]);
  // If a dialog or a list of options is open, check only that: the page below it is another screen.
  for (const over of [OPEN_LIST, '[role="dialog"]']) {
    if (!(await page.locator(over).isVisible())) continue;
    builder.include(over);
    break;
  }
  const result = await builder.analyze();
  return result.violations.flatMap(({ id, nodes }) =>
    nodes
      // An open menu lies over the page and belongs to its button, so it needs no landmark.
      .filter(({ target }) => id !== 'region' || !String(target).includes('radix-popper-content-wrapper'))
      .map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

/**
 * Checks the page in both themes, and takes pictures of it.
 * @param more returns further complaints about the page
 */
export async function look(
  page: Page,
  name: string,
  more: (page: Page) => Promise<readonly string[]> = async () => [],
): Promise<void> {
  const complaints: string[] = [];
  for (const theme of THEMES) {
    await setTheme(page, theme);
    complaints.push(...(await violations(page, theme === 'light' ? [] : COLOURS)), ...(await overflow(page)));
  }
  await setTheme(page, 'light');
  complaints.push(...(await more(page)));
  await takePictures(page, name);
  expect(complaints).toEqual([]);
}
