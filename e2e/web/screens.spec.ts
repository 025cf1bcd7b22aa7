import { expect, test } from './support/fixtures.ts';
import { COLOURS, overflow, violations } from './support/look.ts';
import { setTheme, THEMES, takePictures } from './support/pictures.ts';
import { SCREENS } from './support/screens.ts';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const;

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
    for (const theme of THEMES) {
      await setTheme(page, theme);
      // The sizes go up in one theme and down in the other, because redrawing takes longer than checking.
      for (const size of theme === 'light' ? SIZES : SIZES.toReversed()) {
        await page.setViewportSize(size);
        // The layout does not depend on the theme. Of axe's rules, only those for colours do, and none on the size.
        if (theme === 'light') await expect(subject).toBeInViewport();
        complaints.push(...(await overflow(page)));
        if (size === SIZES[0]) complaints.push(...(await violations(page, theme === 'light' ? [] : COLOURS)));
      }
    }
    await takePictures(page, name);
    // This check comes last, so that all pictures exist even if it fails.
    expect(complaints).toEqual([]);
  });
}
