import type { Page } from '@playwright/test';
import { expect, logOf, test } from './fixtures.ts';

type Response = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

test('every answer of the protocol carries the policy', async ({ app, page }) => {
  await page.waitForLoadState();
  for (const [url, status] of [
    ['pawl://app/', 200],
    ['pawl://app/index.html', 200],
    ['pawl://app/missing.js', 404],
  ] as const) {
    const response = await app.probe<Response>('request', url);
    expect(response.status, url).toBe(status);
    expect(response.headers, url).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'none'; .*connect-src 'none'/),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  }
});

test('the protocol serves the window and nothing else', async ({ app, page }) => {
  await page.waitForLoadState();
  for (const url of [
    'pawl://app/../main/main.js',
    'pawl://app/..%2fmain%2fmain.js',
    'pawl://app/%2e%2e/main/main.js',
    'pawl://app/..%5cmain%5cmain.js',
    'pawl://app/%2e%2e%2f%2e%2e%2fpackage.json',
    'pawl://app//etc/passwd',
    'pawl://app/%00index.html',
    'pawl://app/%zz',
    'pawl://app/assets',
    'pawl://other/index.html',
    'pawl://app.evil/index.html',
  ]) {
    const { status, body } = await app.probe<Response>('request', url);
    expect(status, url).toBe(404);
    expect(body, url).toBe('no such file\n');
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD']) {
    const { status } = await app.probe<Response>('request', 'pawl://app/', method);
    expect(status, method).toBe(405);
  }
});

test('the page can call nobody, run no text and frame nothing', async ({ page }) => {
  const found = await page.evaluate(async () => {
    const violations: string[] = [];
    const allSeen = new Promise<void>(resolve => {
      addEventListener('securitypolicyviolation', event => {
        violations.push(event.effectiveDirective);
        if (violations.length === 5) resolve();
      });
    });
    const fetched = await fetch('/index.html').then(
      () => 'fetched',
      () => 'refused',
    );
    const inline = document.createElement('script');
    inline.textContent = 'window.wasRun = true';
    document.body.append(inline);
    const foreign = document.createElement('script');
    foreign.src = 'https://example.com/script.js';
    document.body.append(foreign);
    const frame = document.createElement('iframe');
    frame.src = 'https://example.com/';
    document.body.append(frame);
    // The browser lets Playwright's script evaluate text until the script first waits; then the policy applies.
    await new Promise(resolve => setTimeout(resolve));
    const evaluated = (() => {
      try {
        return String(new Function('return "evaluated"')());
      } catch {
        return 'refused';
      }
    })();
    await allSeen;
    return { fetched, evaluated, wasRun: 'wasRun' in window, violations: violations.sort() };
  });
  expect(found).toEqual({
    fetched: 'refused',
    evaluated: 'refused',
    wasRun: false,
    violations: ['connect-src', 'frame-src', 'script-src', 'script-src-elem', 'script-src-elem'],
  });
});

/** Waits until the window has set the address of its first screen, and returns it. */
async function ownAddress(page: Page): Promise<string> {
  await expect(page).toHaveURL(/#\/$/);
  return page.url();
}

for (const [what, url] of [
  ['another site', 'https://example.com/'],
  ['another page of our own', '/index.html?other'],
  ['a file', 'file:///etc/passwd'],
] as const) {
  test(`the page cannot go to ${what}`, async ({ app, page }) => {
    const before = await ownAddress(page);
    // Chromium itself refuses to navigate from a page to a file.
    const refused = url.startsWith('file:')
      ? page.waitForEvent('console', message => /Not allowed to load local resource/.test(message.text()))
      : expect.poll(() => logOf(app)).toContain('navigation denied');
    await page.evaluate(address => {
      (window as unknown as { mark: number }).mark = 1;
      location.href = address;
    }, url);
    await refused;
    expect(page.url()).toBe(before);
    expect(await page.evaluate(() => 'mark' in window)).toBe(true);
  });
}

test('a form cannot be sent anywhere', async ({ page }) => {
  const before = await ownAddress(page);
  const refused = await page.evaluate(
    () =>
      new Promise<string>(resolve => {
        // Playwright evaluates text in the page, and the policy may report that first.
        addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
          if (effectiveDirective === 'form-action') resolve(blockedURI);
        });
        const form = document.createElement('form');
        form.action = 'https://example.com/';
        document.body.append(form);
        form.submit();
      }),
  );
  expect(refused).toBe('https://example.com/?');
  expect(page.url()).toBe(before);
});

test('a link to https opens in the browser of the user, and no window here', async ({ app, page }) => {
  await page.evaluate(() => {
    const link = document.createElement('a');
    link.href = 'https://example.com/a?b#c';
    link.target = '_blank';
    link.textContent = 'away';
    document.body.prepend(link);
  });
  await page.getByText('away').click();
  await expect.poll(() => app.probe('openedAddresses')).toEqual(['https://example.com/a?b#c']);
  expect(await app.probe('windows')).toHaveLength(1);
});

test('other addresses open nowhere', async ({ app, page }) => {
  for (const url of [
    'http://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,hello',
    'pawl://app/',
    'ftp://example.com/',
    'smb://example.com/share',
    'about:blank',
    'https://user:password@example.com/',
  ]) {
    await page.evaluate(address => {
      window.open(address);
    }, url);
  }
  // The app handles addresses in order, so when it has opened this one, it has refused those before it.
  await page.evaluate(() => {
    window.open('https://example.com/last');
  });
  await expect.poll(() => app.probe('openedAddresses')).not.toEqual([]);
  expect(await app.probe('openedAddresses')).toEqual(['https://example.com/last']);
  expect(await app.probe('windows')).toHaveLength(1);
});

test('redirects and webviews are denied', async ({ app, page }) => {
  await page.waitForLoadState();
  expect(await app.probe('offerRedirect', 'https://example.com/')).toBe(true);
  expect(await app.probe('offerWebview', 'https://example.com/')).toBe(true);
});

test('the page gets no permission', async ({ page }) => {
  const found = await page.evaluate(async () => ({
    notifications: await Notification.requestPermission(),
    geolocation: (await navigator.permissions.query({ name: 'geolocation' })).state,
    place: await new Promise<string>(resolve =>
      navigator.geolocation.getCurrentPosition(
        () => resolve('granted'),
        () => resolve('denied'),
      ),
    ),
    clipboard: await navigator.clipboard.readText().then(
      () => 'granted',
      () => 'denied',
    ),
    camera: await navigator.mediaDevices.getUserMedia({ video: true }).then(
      () => 'granted',
      () => 'denied',
    ),
  }));
  expect(found).toEqual({
    notifications: 'denied',
    geolocation: 'denied',
    place: 'denied',
    clipboard: 'denied',
    camera: 'denied',
  });
});
