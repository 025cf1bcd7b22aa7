import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import {
  closeOf,
  expectAlive,
  openSocket,
  type Served,
  serveWindow,
  TOKEN,
  upgradeHeaders,
} from './support/served.ts';

/** Tries to open the WebSocket with these headers; the status line of the answer, and a log line for a refusal. */
async function knock(
  served: Served,
  headers: Readonly<Record<string, string>>,
  path = '/calls',
): Promise<{ readonly status: number; readonly messages: readonly string[] }> {
  const answer = await served.get(path, { ...upgradeHeaders(served.port), ...headers });
  return { status: Number(answer.slice(9, 12)), messages: served.newMessages() };
}

test('only who has the token of this start, from the page of this server, is let in', async () => {
  const served = await serveWindow();
  const { port } = served;
  const origin = (value: string) => ({ Origin: value });
  const token = (value: string) => ({ 'Sec-WebSocket-Protocol': value });
  const host = (value: string) => ({ Host: value });
  const cases: readonly (readonly [Readonly<Record<string, string>>, number, string])[] = [
    ...['pawl', '', 'token.', `pawl, token.${TOKEN}x`, `token.${TOKEN.slice(0, -1)}`, `pawl.${TOKEN}`].map(
      value => [token(value), 401, 'wrong token'] as const,
    ),
    [token(TOKEN), 401, 'wrong token'],
    [token(`token.${TOKEN.toUpperCase()}`), 401, 'wrong token'],
    [token(`token.wrong, token.${TOKEN}`), 401, 'wrong token'],
    [{ ...token('pawl'), Authorization: `Bearer ${TOKEN}`, Cookie: `token=${TOKEN}` }, 401, 'wrong token'],
    ...[
      ...[
        '',
        'null',
        'http://evil.com',
        `https://127.0.0.1:${port}`,
        'http://127.0.0.1',
        `http://localhost:${port}`,
      ],
      ...[`http://127.0.0.1:${port}/`, `http://127.0.0.1:${port}.evil.com`, `http://127.0.0.1:${port + 1}`],
      ...[
        `http://user@127.0.0.1:${port}`,
        `file://127.0.0.1:${port}`,
        `http://127.0.0.1:${port}, http://evil.com`,
      ],
    ].map(value => [origin(value), 403, 'wrong Origin'] as const),
    ...['evil.com', '127.0.0.1.evil.com', 'localhost:80@evil', ''].map(
      value => [host(value), 403, 'wrong Host'] as const,
    ),
    // Both as the same foreign page would send them.
    [{ ...host('evil.com'), ...origin('http://evil.com') }, 403, 'wrong Host'],
  ];
  for (const [headers, status, why] of cases) {
    const { messages, ...answer } = await knock(served, headers);
    expect([headers, answer.status, messages]).toEqual([headers, status, [`window refused: ${why}`]]);
  }
  for (const path of ['/', '/calls/', '/calls?token=x', '/CALLS', '/calls/../calls', '//calls', '/other']) {
    const { status, messages } = await knock(served, {}, path);
    expect([path, status, messages]).toEqual([path, 404, ['window refused: no such path']]);
  }
  expect(JSON.stringify(served.log)).not.toContain(TOKEN);
  for (const given of [`localhost:${port}`, `[::1]:${port}`, 'localhost:9999']) {
    const socket = await served.dial();
    const headers = { ...upgradeHeaders(port), ...host(given), ...origin(`http://${given}`) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /calls HTTP/1.1\r\n${lines.join('')}\r\n`);
    const answer = await new Promise(resolve => socket.once('data', resolve));
    expect(String(answer)).toMatch(/^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Protocol: pawl\r\n/s);
  }
  await expectAlive(served);
});

test('an opening that is none is refused and logged', async () => {
  const served = await serveWindow();
  for (const headers of [
    { 'Sec-WebSocket-Key': 'short' },
    { 'Sec-WebSocket-Key': '' },
    { 'Sec-WebSocket-Version': '7' },
    { 'Sec-WebSocket-Version': '' },
    { 'Sec-WebSocket-Protocol': `token.${TOKEN}, a a` },
    { 'Sec-WebSocket-Protocol': `token.${TOKEN}, token.${TOKEN}` },
    { Upgrade: 'h2c' },
  ]) {
    const { status, messages } = await knock(served, headers);
    expect([headers, status, messages]).toEqual([headers, 400, [expect.stringMatching(/^window refused: /)]]);
  }
  await expectAlive(served);
});

test('somebody who is refused and gone before the answer does no harm', async () => {
  const served = await serveWindow();
  const lines = Object.entries(upgradeHeaders(served.port, 'wrong')).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  for (let turn = 0; turn < 20; turn += 1) {
    const socket = connect(served.port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise(resolve => socket.once('connect', resolve));
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.write(`GET /calls HTTP/1.1\r\n${lines.join('')}\r\n`);
    socket.resetAndDestroy();
    await closed;
  }
  await expectAlive(served);
});

test('no more than 64 windows are served at a time', async () => {
  const served = await serveWindow();
  const sockets: WebSocket[] = [];
  for (let count = 0; count < 64; count += 1) sockets.push(await openSocket(served));
  expect(await knock(served, {})).toEqual({ status: 403, messages: ['window refused: too many windows'] });
  expect((await served.get('/')).slice(0, 12)).toBe('HTTP/1.1 200');
  const closed = closeOf(sockets[0] as WebSocket);
  sockets[0]?.close();
  await closed;
  await expectAlive(served);
});
