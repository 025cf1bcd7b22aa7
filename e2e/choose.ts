import { expect, type Locator } from '@playwright/test';

/** Chooses from the list that a field opens. */
export async function choose(field: Locator, option: string | RegExp): Promise<void> {
  await field.click();
  await field.page().getByRole('option', { name: option, exact: true }).click();
  await expect(field).toHaveText(option);
}
