import { CORE, expect, test } from './support/fixtures.ts';
import { cellOf, dialog, notebook, openWindow, startStudy, study } from './support/window.ts';

const TOKEN = 'a-token-that-stays-the-same-over-restarts';

test('after kill -9 the window finds back by itself, and Resume loses nothing', async ({
  page,
  serve,
  home,
  bench,
}) => {
  const first = await serve({ token: TOKEN });
  await openWindow(page, first);
  await bench.hold(1);
  await startStudy(page, bench, { tag: 'night', experiments: 3 });
  await expect(cellOf(page, 0).region).toContainText('keep');
  const held = await bench.untilHeld();
  await first.kill();
  const notice = page.getByRole('alert').filter({ hasText: 'Pawl cannot be reached' });
  await expect(notice).toContainText('a study that was running may still be running');
  // The notebook can still be read.
  await expect(cellOf(page, 0).region).toContainText('1.299000');

  await serve({ home, port: first.port, token: TOKEN });
  await expect(notice).toBeHidden();
  await expect(study(page).header).not.toContainText('Running');
  await expect(cellOf(page, held).region).toContainText('interrupted');
  await expect(cellOf(page, 0).region).toContainText('keep');

  await bench.letGo();
  await study(page).control('Resume').click();
  await dialog(page, 'Resume night').getByRole('button', { name: 'Resume' }).click();
  await expect(study(page).header).toContainText('Ended');
  await expect(notebook(page).rows).toHaveCount(4);
  for (const n of [1, 2, 3]) await expect(cellOf(page, n).region).toContainText('discard');
  await expect(study(page).header).toContainText('3 tried: 0 kept, 3 discarded, 0 crashed');
});

test('a server that starts between two looks at it has not refused the window', async ({ page, serve }) => {
  await page.addInitScript(() => {
    const Real = window.WebSocket;
    let tries = 0;
    window.WebSocket = class extends Real {
      constructor(url: string | URL, protocols: string | string[] = []) {
        tries += 1;
        // The first connection fails, as if the server had not started yet.
        super(url, tries === 1 ? 'pawl' : protocols);
      }
    };
  });
  await openWindow(page, await serve());
});

test('"Try now" ends the wait for a server that is back', async ({ page, serve }) => {
  const first = await serve({ token: TOKEN });
  await page.clock.install();
  await openWindow(page, first);
  // The page still loads code while it is idle; those requests would fail when the server ends.
  await page.waitForLoadState('networkidle');
  await first.kill();
  const notice = page.getByRole('alert').filter({ hasText: 'Pawl cannot be reached' });
  await expect(notice).toBeVisible();
  // From here on the window's clock stands still, so the window does not reconnect by itself.
  await page.clock.pauseAt(await page.evaluate(() => Date.now() + 60_000));
  await serve({ port: first.port, token: TOKEN });
  await notice.getByRole('button', { name: 'Try now' }).click();
  await expect(notice).toBeHidden();
});

test('a server with another token is entered by its address', async ({ page, serve, bench }) => {
  const first = await serve();
  await openWindow(page, first);
  await startStudy(page, bench, { tag: 'night', experiments: 0 });
  await expect(study(page).header).toContainText('Ended');
  await first.kill();
  const second = await serve({ port: first.port });
  const refused = page.getByRole('alert').filter({ hasText: 'Pawl was restarted' });
  await expect(refused).toBeVisible();
  const address = refused.getByLabel('Address that pawl serve printed');
  await address.fill('http://127.0.0.1:1/#token=wrong');
  await address.press('Enter');
  await expect(refused).toBeVisible();
  await address.fill(second.url);
  await refused.getByRole('button', { name: 'Connect' }).click();
  await expect(refused).toBeHidden();
  await expect(cellOf(page, 0).region).toContainText('keep');
  // The tab keeps the new address.
  await page.reload();
  await expect(page.getByRole('navigation', { name: 'Projects and studies' })).toContainText('night');
});

test('an address that is entered while an earlier one is tried is tried next', async ({ page, serve }) => {
  const first = await serve();
  await openWindow(page, first);
  // The page still loads code while it is idle; those requests would fail when the server ends.
  await page.waitForLoadState('networkidle');
  await first.kill();
  const second = await serve({ port: first.port });
  const refused = page.getByRole('alert').filter({ hasText: 'Pawl was restarted' });
  await expect(refused).toBeVisible();
  // This delays the answer to the second and last try with the wrong address.
  await page.evaluate(() => {
    const Real = window.WebSocket;
    let tries = 0;
    window.WebSocket = class extends Real {
      constructor(url: string | URL, protocols: string | string[] = []) {
        super(url, protocols);
        if (protocols.includes('token.wrong')) tries += 1;
        if (tries < 2 || !protocols.includes('token.wrong')) return;
        const answered = new Promise<void>(resolve => window.addEventListener('letgo', () => resolve()));
        const listen = this.addEventListener.bind(this);
        this.addEventListener = (type: string, listener: EventListenerOrEventListenerObject) =>
          listen(type, event => answered.then(() => (listener as EventListener)(event)));
        document.body.dataset.tried = 'true';
      }
    };
  });
  const address = refused.getByLabel('Address that pawl serve printed');
  await address.fill('wrong');
  await address.press('Enter');
  await expect(page.locator('body[data-tried]')).toBeAttached();
  await address.fill(second.url);
  await address.press('Enter');
  await page.evaluate(() => window.dispatchEvent(new Event('letgo')));
  await expect(refused).toBeHidden();
});

test('without a token the window says what it needs and shows nothing', CORE, async ({ page, serve }) => {
  const server = await serve();
  await page.goto(`http://127.0.0.1:${server.port}/`);
  await expect(page.getByRole('alert')).toContainText("This window's address is out of date");
  await expect(page.getByRole('navigation')).toBeHidden();
  await page.getByLabel('Address that pawl serve printed').fill(server.url);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('navigation', { name: 'Projects and studies' })).toBeVisible();
});
