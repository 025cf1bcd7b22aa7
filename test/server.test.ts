import { symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startServer } from '../src/server/server.ts';
import { slowness } from './support/clock.ts';
import { temporaryFolder } from './support/scaffold.ts';
import {
  expectAlive,
  openSocket,
  type Served,
  serveWindow,
  TOKEN,
  upgradeHeaders,
} from './support/served.ts';
import { openDesk } from './support/service.ts';

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

function headersOf(answer: string): Readonly<Record<string, string>> {
  const lines = answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n').slice(1);
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
}

/** Expects an answer without content, and one line in the log that says why. */
async function expectRefused(served: Served, answer: Promise<string>, status: number, why: RegExp) {
  const text = await answer;
  expect(text).not.toContain('SECRET');
  expect([statusOf(text), text]).toEqual([status, text]);
  const messages = served.newMessages();
  expect(messages).toEqual([expect.stringMatching(why)]);
}

test('the window is served, each file with its kind and how long it may be kept', async () => {
  const served = await serveWindow();
  const page = await served.get('/');
  expect([statusOf(page), bodyOf(page)]).toEqual([200, '<!doctype html><title>Pawl</title>']);
  expect(headersOf(page)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
  });
  for (const path of ['/index.html', '/?x=1', '/%69ndex.html', '/./index.html', '//index.html']) {
    expect(bodyOf(await served.get(path))).toContain('Pawl');
  }
  const script = await served.get('/assets/main-abc.js');
  expect(headersOf(script)).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  });
  expect(headersOf(await served.get('/icon.svg'))['content-type']).toBe('image/svg+xml');
  const head = await served.get('/', {}, 'HEAD');
  expect([statusOf(head), bodyOf(head)]).toEqual([200, '']);
  expect(headersOf(head)['content-length']).toBe('34');
  expect(served.log).toEqual([]);
  expect(served.server.url).toBe(`http://127.0.0.1:${served.port}/#token=${TOKEN}`);
});

test('every answer forbids what the window does not need', async () => {
  const served = await serveWindow();
  for (const answer of [
    await served.get('/'),
    await served.get('/assets/main.css'),
    await served.get('/nothing.html'),
    await served.get('/', {}, 'POST'),
    await served.get('/', { Host: 'evil.example' }),
  ]) {
    const headers = headersOf(answer);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    });
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ]) {
      expect(headers['content-security-policy']).toContain(part);
    }
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('only requests addressed to this machine by name are answered', async () => {
  const served = await serveWindow();
  const { port } = served;
  for (const host of ['127.0.0.1', 'localhost', '[::1]', `LocalHost:${port}`, 'localhost:1', '[::1]:65535']) {
    expect(statusOf(await served.get('/', { Host: host }))).toBe(200);
  }
  expect(served.newMessages()).toEqual([]);
  for (const host of [
    ...['evil.example', 'rebind.127.0.0.1.nip.io', '127.0.0.1.evil.com', 'localhost.evil.com', 'evil.com:80'],
    ...[`localhost:${port}@evil.com`, 'localhost:80@evil', 'user@localhost', '127.0.0.1:', 'localhost:port'],
    ...[
      '127.0.0.2',
      '0.0.0.0',
      '127.1',
      '2130706433',
      '0x7f000001',
      '127.0.0.1:123456',
      '[::]',
      '::1',
      '[::ffff:127.0.0.1]',
    ],
    ...[
      'localhost.',
      'localhost, evil.com',
      'localhost evil.com',
      'localhost/',
      'http://localhost',
      'ｌocalhost',
    ],
  ]) {
    await expectRefused(served, served.get('/', { Host: host }), 403, /^refused: wrong Host$/);
    expect(served.log.at(-1)).toMatchObject({ url: '/', method: 'GET' });
  }
  // No Host at all, in both versions of HTTP, and two of them.
  await expectRefused(served, served.raw('GET / HTTP/1.0\r\n\r\n'), 403, /wrong Host/);
  await expectRefused(served, served.raw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), 403, /wrong Host/);
  const two = `GET / HTTP/1.1\r\nHost: evil.com\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const twice = await served.raw(two);
  expect(statusOf(twice)).toBeGreaterThanOrEqual(400);
  await expectAlive(served);
});

test('no spelling of a path leads out of the folder or to another kind of file', async () => {
  const served = await serveWindow();
  await symlink(join(served.folder, '../secret.html'), join(served.folder, 'link.html'));
  await symlink(join(served.folder, '..'), join(served.folder, 'up'));
  await writeFile(join(served.folder, 'fifo.html.bak'), 'SECRET');
  for (const path of [
    ...['/../secret.html', '/assets/../../secret.html', '/./../secret.html', '//../secret.html'],
    ...[
      '/%2e%2e/secret.html',
      '/%2e%2e%2fsecret.html',
      '/..%2fsecret.html',
      '/.%2e/secret.html',
      '/%2E./secret.html',
    ],
    ...[
      '/%252e%252e/secret.html',
      '/%252e%252e%252fsecret.html',
      '/..%252fsecret.html',
      '/%25%32%65%25%32%65/secret.html',
    ],
    ...[
      '/..\\secret.html',
      '/..%5csecret.html',
      '/%5c..%5csecret.html',
      '\\..\\secret.html',
      '/assets\\..\\..\\secret.html',
    ],
    ...[
      '/..;/secret.html',
      '/....//secret.html',
      '/..%00/secret.html',
      '/secret.html%00.html',
      '/%00',
      '/..%c0%afsecret.html',
    ],
    ...[
      '/..%ef%bc%8fsecret.html',
      '/%uff0e%uff0e/secret.html',
      '/%c0%ae%c0%ae/secret.html',
      '/%',
      '/%zz',
      '/%ff.html',
    ],
    ...['/../window-of-another/secret.html', '/-of-another/secret.html', `${served.folder}/../secret.html`],
    ...[
      '/link.html',
      '/up/secret.html',
      '/notes.txt',
      '/main.js.map',
      '/assets',
      '/assets/',
      '/up',
      '/.',
      '/..',
    ],
    ...[
      '/index.html/',
      '/index.html/..',
      '/index.html%20',
      '/INDEX.HTML',
      '/fifo.html.bak',
      '/nothing.html',
      '/etc/passwd',
    ],
    ...['/?/../secret.html', '/index.html?../../secret.html', '/#/../secret.html'],
  ]) {
    const answer = await served.get(path);
    expect(answer).not.toContain('SECRET');
    if (statusOf(answer) === 200) expect(bodyOf(answer)).toContain('<title>Pawl</title>');
    else expect([path, served.newMessages().length]).toEqual([path, 1]);
  }
  await expectAlive(served);
});

test('a target in another form than a path is refused', async () => {
  const served = await serveWindow();
  for (const target of [
    ...[
      'http://evil.com/',
      'http://127.0.0.1/../secret.html',
      'http://evil.com/index.html',
      '*',
      'https:',
      'a:b',
    ],
    ...[
      'http://',
      'http://[',
      'http://a:99999/',
      '//evil.com:99999999/',
      '/[',
      '@evil.com/index.html',
      ':80/index.html',
    ],
    ...['.evil.com/index.html', '?x', '#x', 'index.html'],
  ]) {
    const answer = await served.get(target);
    expect(answer).not.toContain('SECRET');
    // Node ends the connection where it cannot even read the line.
    expect([target, [0, 400, 404].includes(statusOf(answer))]).toEqual([target, true]);
    expect([target, served.newMessages().length]).toEqual([target, 1]);
  }
  await expectAlive(served);
});

test('nothing can be changed with a request', async () => {
  const served = await serveWindow();
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE']) {
    await expectRefused(served, served.get('/', {}, method), 405, /^refused: only GET$/);
    await expectRefused(served, served.get('/calls', {}, method), 405, /only GET/);
  }
  await expectRefused(served, served.get('127.0.0.1:22', {}, 'CONNECT'), 405, /only GET/);
  await expectRefused(served, served.get('/calls'), 404, /no such file/);
  await expectRefused(
    served,
    served.get('/', { Upgrade: 'h2c', Connection: 'Upgrade' }),
    404,
    /no such path/,
  );
  await expectAlive(served);
});

test('what is not HTTP is refused and logged', async () => {
  const served = await serveWindow();
  const host = `Host: 127.0.0.1:${served.port}\r\n`;
  for (const bytes of [
    'hello\r\n\r\n',
    '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03',
    'GET / HTTP/9.9\r\n\r\n',
    `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(100_000)}\r\n\r\n`,
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}Bad Header\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`,
    `GET /a\0b HTTP/1.1\r\n${host}\r\n`,
  ]) {
    const answer = await served.raw(bytes);
    expect(answer).not.toContain('200 OK');
    expect(served.newMessages()).toEqual([expect.stringMatching(/malformed request refused/)]);
  }
  await expectAlive(served);
});

test('a port that is taken or cannot be has a clear error, and nothing is left open', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const { router } = await openDesk();
  const options = { router, folder: await temporaryFolder(), token: TOKEN, log: pino({ enabled: false }) };
  await expect(startServer({ ...options, port })).rejects.toMatchObject({
    ...{ code: 'usage', message: `Port ${port} is taken: choose another with --port.` },
  });
  await expect(startServer({ ...options, port: 65_536 })).rejects.toMatchObject({ code: 'usage' });
  await new Promise(resolve => other.close(resolve));
  const server = await startServer({ ...options, port });
  expect(server.url).toContain(`127.0.0.1:${port}/`);
  await server.close();
});

test('closing ends every connection, whether the other side takes part or not', async () => {
  const served = await serveWindow();
  const socket = await openSocket(served);
  const closed = new Promise(resolve => socket.once('close', resolve));
  const request = (headers: Readonly<Record<string, string>>) =>
    `GET /calls HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`;
  // One that never answers a close, one that was refused and keeps its side open, one that says nothing.
  const silent = await served.dial();
  silent.write(request(upgradeHeaders(served.port)));
  await new Promise(resolve => silent.once('data', resolve));
  const refused = connect({ port: served.port, host: '127.0.0.1', allowHalfOpen: true });
  refused.write(request(upgradeHeaders(served.port, 'wrong')));
  await new Promise(resolve => refused.once('data', resolve));
  await served.dial();
  const began = performance.now();
  await served.server.close();
  expect(performance.now() - began).toBeLessThan(5_000 * slowness());
  expect(await closed).toBe(1001);
  refused.destroy();
});
