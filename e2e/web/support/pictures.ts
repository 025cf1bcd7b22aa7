import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

/** To be looked at; not kept in the repository. */
const FOLDER = fileURLToPath(new URL('../screenshots/', import.meta.url));

/** A picture of the page as `<name>.png`, where PAWL_TEST_PICTURES asks for pictures: each takes longer than what is tested. */
export async function takePicture(page: Page, name: string): Promise<void> {
  if (process.env.PAWL_TEST_PICTURES) await page.screenshot({ path: `${FOLDER}${name}.png` });
}
