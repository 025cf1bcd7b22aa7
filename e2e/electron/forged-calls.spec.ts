import { ask, call, sendTexts } from './calls.ts';
import { expect, logOf, test } from './fixtures.ts';

test('only the whole page of the own window is connected', async ({ app, page }) => {
  await page.evaluate(() => document.body.append(document.createElement('iframe')));
  expect(await app.probe('forge', 'page', null, 1)).toContain('pong');
  for (const [sender, why] of [
    ['frame', 'not the top frame'],
    ['window', 'not our window'],
    ['gone', 'the frame is gone'],
  ] as const) {
    expect(await app.probe('forge', sender, null, 1), sender).toBe('closed');
    expect((await logOf(app)).at(-1)).toBe(`connection refused: ${why}`);
  }
});

test('a connection that is not of the form is refused', async ({ app, page }) => {
  await page.waitForLoadState();
  for (const [message, ports] of [
    [{ path: '/etc' }, 1],
    ['text', 1],
    [null, 2],
  ] as const) {
    expect(await app.probe('forge', 'page', message, ports)).toBe('closed');
    expect((await logOf(app)).at(-1)).toBe('connection refused: malformed');
  }
  expect(await app.probe('forge', 'page', null, 0)).toBe('nothing');
  expect(await ask(page, 'app/ping')).toBe('pong');
});

test('a frame of the page cannot have its port passed for the page’s', async ({ app, page }) => {
  const before = await logOf(app);
  const answer = await page.evaluate(
    () =>
      new Promise<string>(resolve => {
        const frame = document.createElement('iframe');
        document.body.append(frame);
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve('connected');
        port1.postMessage(JSON.stringify({ i: '1', p: { u: '/app/ping' } }));
        // This is the event that a script in the frame would cause, if the policy allowed the frame to have scripts.
        window.dispatchEvent(
          new MessageEvent('message', {
            data: { type: 'pawl:connect' },
            origin: location.origin,
            source: frame.contentWindow,
            ports: [port2],
          }),
        );
        // This later, correct call is answered. If the first port had been connected, its answer would come first.
        const right = new MessageChannel();
        right.port1.onmessage = () => resolve('nothing');
        right.port1.postMessage(JSON.stringify({ i: '1', p: { u: '/app/ping' } }));
        window.postMessage({ type: 'pawl:connect' }, location.origin, [right.port2]);
      }),
  );
  expect(answer).toBe('nothing');
  expect(await logOf(app)).toEqual(before);
});

test('a call with a bad payload is refused with its reason, and nothing happens', async ({ app, page }) => {
  for (const [path, input] of [
    ['projects/inspect', {}],
    ['projects/inspect', { path: 7 }],
    ['projects/inspect', { path: '/tmp', more: true }],
    ['projects/inspect', { path: 'x'.repeat(5_000) }],
    ['studies/start', { path: '/tmp', proposer: { kind: 'shell', command: 'rm -rf /' }, stop: {} }],
    ['experiments/get', { study: '../../etc', n: -1 }],
    ['experiments/log', { study: 'x', n: 0, k: 0, from: -5 }],
    ['app/saveSettings', { theme: 'pink' }],
    ['app/events', { epoch: 'x', after: 'y' }],
  ] as const) {
    const answer = await call(page, path, input);
    expect(answer, `${path} ${JSON.stringify(input).slice(0, 80)}`).toMatchObject({ ok: false, status: 400 });
  }
  expect(await ask<{ projects: unknown[] }>(page, 'app/snapshot')).toMatchObject({
    projects: [],
    studies: [],
  });
  expect(await app.probe('dialogs')).toEqual([]);
});

test('a call nobody knows is refused', async ({ page }) => {
  for (const path of ['app/quit', 'nothing', '__proto__', 'app/constructor', 'app/ping/more']) {
    expect(await call(page, path), path).toMatchObject({ ok: false, status: 404 });
  }
});

test('what is no call closes its port, and nobody else’s', async ({ app, page }) => {
  for (const text of [
    'no json',
    '{}',
    '[]',
    'null',
    '{"i":"1"}',
    '{"i":1,"p":{"u":"/app/ping"}}',
    '{"i":"1","p":null}',
    '{"i":"1","p":{"u":"https://example.com/"}}',
    '{"i":"1","p":{"u":"/app/ping","h":{"content-type":"multipart/form-data"}}}',
    '{"i":"1","p":{"u":"/app/ping","h":{"content-disposition":"attachment"}}}',
    '{"i":"1","t":3,"p":{"e":"message"}}',
    '{"i":"1","t":9,"p":{}}',
    `{"i":"${'1'.repeat(100)}","p":{"u":"/app/ping"}}`,
  ]) {
    expect(await sendTexts(page, [text]), text).toEqual({ closed: true, answer: null });
  }
  expect(await ask(page, 'app/ping')).toBe('pong');
  expect(await logOf(app)).not.toContain('unhandled rejection');
});

test('a message that is too large closes its port', async ({ page }) => {
  const answer = await page.evaluate(
    () =>
      new Promise<string>(resolve => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener('message', ({ data }) => resolve(String(data)));
        port1.addEventListener('close', () => resolve('closed'));
        port1.start();
        window.postMessage({ type: 'pawl:connect' }, location.origin, [port2]);
        const path = 'x'.repeat(16 * 1024 * 1024);
        port1.postMessage(JSON.stringify({ i: '1', p: { u: '/projects/inspect', b: { json: { path } } } }));
      }),
  );
  expect(answer).toBe('closed');
  expect(await ask(page, 'app/ping')).toBe('pong');
});

test('bytes are no call', async ({ page }) => {
  const answer = await page.evaluate(
    () =>
      new Promise<string>(resolve => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener('message', ({ data }) => resolve(String(data)));
        port1.addEventListener('close', () => resolve('closed'));
        port1.start();
        window.postMessage({ type: 'pawl:connect' }, location.origin, [port2]);
        port1.postMessage(new TextEncoder().encode(JSON.stringify({ i: '1', p: { u: '/app/ping' } })));
      }),
  );
  expect(answer).toBe('closed');
});
