import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './support/fixtures.ts';
import { SCREENS } from './support/screens.ts';

/** Made anew by every run, to be looked at; not kept in the repository. */
const FOLDER = fileURLToPath(new URL('screenshots', import.meta.url));
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const;
const COLOURS = ['color-contrast', 'link-in-text-block'];

for (const { name, open } of SCREENS) {
  test(`${name} is in sight, unclipped and accessible, in both themes and sizes`, async ({
    page,
    night,
    serve,
    makeBench,
    answer,
  }) => {
    const subject = await open({ page, night, serve, makeBench, answer });
    const complaints: string[] = [];
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      for (const size of SIZES) {
        await page.setViewportSize(size);
        // Places do not depend on the theme; of what axe looks at only colours do, and nothing on the size.
        if (theme === 'light') await expect(subject).toBeInViewport();
        await page.screenshot({ path: `${FOLDER}/${name}-${size.width}-${theme}.png` });
        complaints.push(...(await overflow(page)));
        if (size === SIZES[0]) complaints.push(...(await violations(page, theme === 'light' ? [] : COLOURS)));
      }
    }
    // At the end, so that there is always something to look at.
    expect(complaints).toEqual([]);
  });
}

/** What sticks out of the window to the right: nobody can scroll there. */
function overflow(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('header, main, aside, nav, [role="dialog"], [role="alert"]')]
      .filter(element => element.getBoundingClientRect().right > window.innerWidth + 1)
      .map(
        element => `wider than the window: ${element.tagName} ${element.getAttribute('aria-label') ?? ''}`,
      ),
  );
}

/** One line for each thing axe objects to: the rule, the place and what to do. All rules where none are named. */
async function violations(page: Page, rules: readonly string[]): Promise<readonly string[]> {
  const builder = new AxeBuilder({ page })
    // There are no frames, so nothing has to be put together on a page of its own.
    .setLegacyMode()
    .options({ resultTypes: ['violations'] });
  if (rules.length > 0) builder.withRules([...rules]);
  // What lies under a dialog is a screen of its own.
  if (await page.getByRole('dialog').isVisible()) builder.include('[role="dialog"]');
  const result = await builder.analyze();
  return result.violations.flatMap(({ id, nodes }) =>
    nodes
      // An open menu lies over the page and belongs to its button, not to a landmark.
      .filter(({ target }) => id !== 'region' || !String(target).includes('radix-popper-content-wrapper'))
      .map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}
