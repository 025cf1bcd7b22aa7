import type { Locator, Page } from '@playwright/test';

/** What these specs know of the interface. Everything else they ask of the app is asked by calls or the probe. */
export const welcome = (page: Page): Locator => page.getByRole('region', { name: 'Welcome' });
export const openSample = (page: Page): Locator =>
  page.getByRole('button', { name: 'Open the sample project' });
/** Heading of the form in which a study of a repository is set up. */
export const newStudy = (page: Page, repository: string): Locator =>
  page.getByRole('heading', { name: `New study in ${repository}` });
export const pause = (page: Page): Locator => page.getByRole('button', { name: 'Pause', exact: true });
