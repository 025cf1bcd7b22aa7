import type { Locator, Page } from '@playwright/test';

/** The parts of the interface that these specs use. For everything else they use calls or the probe. */
export const welcome = (page: Page): Locator => page.getByRole('region', { name: 'Welcome' });
export const openSample = (page: Page): Locator =>
  page.getByRole('button', { name: 'Open the sample project' });
/** The heading of the form that sets up a study of this repository. */
export const newStudy = (page: Page, repository: string): Locator =>
  page.getByRole('heading', { name: `New study in ${repository}` });
export const pause = (page: Page): Locator => page.getByRole('button', { name: 'Pause', exact: true });
