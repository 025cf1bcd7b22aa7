import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from './fixtures.ts';
import { newStudy, welcome } from './selectors.ts';

test('a folder dropped on the window tells the page its path', async ({ app, page }) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pawl-drop-')));
  const dropped = page.evaluate(
    () =>
      new Promise<string>(resolve => {
        addEventListener('dragover', event => event.preventDefault());
        addEventListener('drop', event => {
          event.preventDefault();
          const file = event.dataTransfer?.files[0];
          const { pawl } = window as unknown as { pawl: { pathOfFile(file: File): string } };
          resolve(file ? pawl.pathOfFile(file) : 'no file');
        });
      }),
  );
  // A page that has not been drawn yet loses the drop.
  await expect(welcome(page)).toBeVisible();
  await app.drop([folder]);
  expect(await dropped).toBe(folder);
});

test('a repository dropped on the window is offered for a study', async ({ app, page, bench }) => {
  await expect(welcome(page)).toBeVisible();
  await app.drop([bench.repository]);
  await expect(newStudy(page, 'repo')).toBeVisible();
});

test('a file the page made up has no path', async ({ page }) => {
  const path = await page.evaluate(() => {
    const { pawl } = window as unknown as { pawl: { pathOfFile(file: File): string } };
    return pawl.pathOfFile(new File(['text'], 'made-up.txt'));
  });
  expect(path).toBe('');
});
