import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAgain } from './app.ts';
import { ask } from './calls.ts';
import { expect, listenForOpen, loadedPage, openDialogs, opened, test } from './fixtures.ts';
import { newStudy } from './selectors.ts';

test('a second start brings the first window to the front and ends', async ({ app, page }) => {
  await page.waitForLoadState();
  await app.probe('blur');
  const { code } = await startAgain(app.home, []);
  expect(code).toBe(0);
  await expect.poll(() => app.probe('windows')).toMatchObject([{ isVisible: true, isFocused: true }]);
});

test('a folder given to a second start is offered in the first window', async ({ app, page, bench }) => {
  await listenForOpen(page);
  await startAgain(app.home, [bench.repository]);
  await expect.poll(() => opened(page)).toEqual([bench.repository]);
});

test('what is no folder only brings the window to the front', async ({ app, page, bench }) => {
  await listenForOpen(page);
  await startAgain(app.home, [join(bench.repository, 'train.sh')]);
  await expect.poll(() => app.probe('windows')).toMatchObject([{ isFocused: true }]);
  expect(await opened(page)).toEqual([]);
});

test('a folder given to the first start waits for the page', async ({ start, bench }) => {
  const app = await start({ args: [bench.repository] });
  await expect(newStudy(await loadedPage(app), 'repo')).toBeVisible();
});

test('a file the system hands over is opened', async ({ app, page, bench }) => {
  await listenForOpen(page);
  expect(await app.probe('openFile', bench.repository)).toBe(true);
  await expect.poll(() => opened(page)).toEqual([bench.repository]);
});

test('two data folders are two apps', async ({ app, start }) => {
  const other = await start();
  const [one, two] = [await loadedPage(app), await loadedPage(other)];
  expect(await ask(one, 'app/info')).toMatchObject({ home: app.home });
  expect(await ask(two, 'app/info')).toMatchObject({ home: other.home });
});

const HOLDER = fileURLToPath(new URL('hold-data-folder.ts', import.meta.url));

test('where another Pawl has the data folder the app says so, and tries again', async ({
  start,
  app: first,
}) => {
  // The first app has created the data folder; it must end before another process can take the lock.
  await first.close();
  const holder = spawn(process.execPath, [HOLDER, first.home], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (holder.stdout) await once(holder.stdout, 'data');
  const app = await start({ home: first.home });
  await expect
    .poll(() => openDialogs(app))
    .toMatchObject([
      { detail: expect.stringContaining('Another Pawl is running'), buttons: ['Retry', 'Quit'] },
    ]);
  expect(await app.probe('windows')).toEqual([]);
  await app.probe('answerMessageBox', 0);
  await expect.poll(() => openDialogs(app)).toHaveLength(1);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await app.probe('answerMessageBox', 0);
  expect(await ask(await loadedPage(app), 'app/ping')).toBe('pong');
});

test('a ledger of a newer Pawl is left alone and said so', async ({ start }) => {
  const first = await start();
  await loadedPage(first);
  await first.probe('quit');
  await first.ended;
  const { default: BetterSqlite3 } = await import('better-sqlite3');
  const database = new BetterSqlite3(join(first.home, 'pawl.sqlite'));
  database.pragma('user_version = 99990');
  database.close();
  const app = await start({ home: first.home });
  await expect
    .poll(() => openDialogs(app))
    .toMatchObject([{ message: 'Pawl cannot start.', buttons: ['Quit'] }]);
  await app.probe('answerMessageBox', 0);
  expect(await app.ended).toBe(1);
});
