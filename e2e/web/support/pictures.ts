import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

/** The pictures are for people to look at. Git ignores this folder. */
const FOLDER = fileURLToPath(new URL('../screenshots/', import.meta.url));

/** Saves the page as `<name>.png` if PAWL_TEST_PICTURES is set. A picture takes longer than the check itself. */
export async function takePicture(page: Page, name: string): Promise<void> {
  if (process.env.PAWL_TEST_PICTURES) await page.screenshot({ path: `${FOLDER}${name}.png` });
}
