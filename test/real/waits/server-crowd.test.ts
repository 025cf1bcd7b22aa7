import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readDescriptorLimit, serverLimits } from '../../../src/server/strangers.ts';
import { writeFiles } from '../../support/scaffold.ts';
import {
  callsOver,
  expectAlive,
  openSocket,
  type Served,
  serveWindow,
  upgradeHeaders,
} from '../../support/served.ts';

const LISTENING = '0A';

/** Connections that the server of this process holds; the system tells, not the server. */
function heldBy(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1] === local && fields[3] !== LISTENING)
    .map(fields => `socket:[${fields[9]}]`);
  const own = new Set(
    readdirSync('/proc/self/fd').map(name => {
      try {
        return readlinkSync(join('/proc/self/fd', name));
      } catch {
        return '';
      }
    }),
  );
  return inodes.filter(inode => own.has(inode)).length;
}

type Crowd = { readonly sockets: readonly Socket[]; closed: number };

/** Many connections that say this and then nothing; resolves when each is connected and has got `answers` bytes or was closed. */
async function crowd(served: Served, count: number, says: string, isAnswered = false): Promise<Crowd> {
  const held: { sockets: Socket[]; closed: number } = { sockets: [], closed: 0 };
  onTestFinished(() => {
    for (const socket of held.sockets) socket.destroy();
  });
  const arrivals = Array.from({ length: count }, async () => {
    const socket = connect(served.port, '127.0.0.1');
    held.sockets.push(socket);
    socket.on('error', () => {});
    const closed = new Promise<void>(resolve =>
      socket.once('close', () => {
        held.closed += 1;
        resolve();
      }),
    );
    await Promise.race([new Promise(resolve => socket.once('connect', resolve)), closed]);
    if (says !== '') socket.write(says);
    if (isAnswered) await Promise.race([new Promise(resolve => socket.once('data', resolve)), closed]);
    else socket.resume();
  });
  await Promise.all(arrivals);
  return held;
}

/** How a crowd of connections looks, none of which has shown the token. */
const crowds = (port: number) => {
  const lines = (headers: Readonly<Record<string, string>>) =>
    Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const host = `Host: 127.0.0.1:${port}\r\n`;
  return {
    'say nothing': ['', false],
    'break off in a request': [`GET / HTTP/1.1\r\n${host}X-Slow: `, false],
    'stay after an answer': [`GET / HTTP/1.1\r\n${host}\r\n`, true],
    'ask for calls without the token': [
      `GET /calls HTTP/1.1\r\n${lines(upgradeHeaders(port, 'wrong')).join('')}\r\n`,
      true,
    ],
  } as const;
};

test('hundreds of connections without the token keep no window out and cost a bounded number of files', async () => {
  const served = await serveWindow();
  const { strangers } = serverLimits(readDescriptorLimit());
  const before = await openSocket(served);
  for (const [kind, [says, isAnswered]] of Object.entries(crowds(served.port))) {
    const held = await crowd(served, 650, says, isAnswered);
    await expect.poll(() => held.closed, { interval: 10 }).toBeGreaterThanOrEqual(650 - strangers);
    expect(heldBy(served.port), kind).toBeLessThanOrEqual(strangers + 1);
    // An open window goes on, a new one connects, and the engine still opens files.
    expect(await callsOver(before).app.ping()).toBe('pong');
    await expectAlive(served);
    const file = await open(join(served.folder, 'index.html'));
    await file.close();
    for (const socket of held.sockets) socket.destroy();
  }
  expect(served.newMessages()).toContain(
    `more than ${strangers} connections without the token: the oldest are closed`,
  );
});

test('a window that loads is not among those that are closed while others only wait', async () => {
  const served = await serveWindow({ limits: { ...serverLimits(1_024), strangers: 4 } });
  const size = 32 * 1024 * 1024;
  await writeFiles(served.folder, { 'assets/large.js': Buffer.alloc(size) });
  const window = await served.dial();
  window.write(
    `GET /assets/large.js HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nConnection: close\r\n\r\n`,
  );
  // Most of the answer is still to come when the crowd does.
  await new Promise(resolve => window.once('readable', resolve));
  const held = await crowd(served, 40, '');
  await expect.poll(() => held.closed, { interval: 10 }).toBe(37);
  let received = 0;
  for await (const chunk of window) received += (chunk as Buffer).length;
  expect(received).toBeGreaterThan(size);
});

test('a connection that does not ask, or asks no more, is closed after a time', async () => {
  const limits = { ...serverLimits(1_024), headMs: 50, requestMs: 100, idleMs: 50 };
  const served = await serveWindow({ limits });
  const window = await openSocket(served);
  for (const [kind, [says]] of Object.entries(crowds(served.port))) {
    const { sockets } = await crowd(served, 1, says);
    const [socket] = sockets as [Socket];
    if (!socket.destroyed) await new Promise(resolve => socket.once('close', resolve));
    expect([kind, socket.destroyed]).toEqual([kind, true]);
  }
  // Only the heartbeat ends a window that says nothing.
  expect(await callsOver(window).app.ping()).toBe('pong');
  expect(served.newMessages()).toEqual(['window refused: wrong token']);
});

test('a request that came while the host was held up is answered, however late the host reads it', async () => {
  const headMs = 2_000;
  const served = await serveWindow({ limits: { ...serverLimits(1_024), headMs } });
  const socket = await served.dial();
  let answer = '';
  socket.on('data', data => {
    answer += data;
  });
  const closed = new Promise<string>(resolve => socket.on('error', error => resolve(error.message)));
  await expect.poll(() => heldBy(served.port)).toBe(1);
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n\r\n`);
  // As a machine under load does it: the request is there, and nobody reads it in time.
  for (const end = performance.now() + headMs + 500; performance.now() < end; );
  const answered = expect.poll(() => answer).toContain('<title>Pawl</title>');
  expect(await Promise.race([closed, answered.then(() => 'answered')])).toBe('answered');
});

test('a connection that asks without waiting gets its answers in turn, and is closed where it asks too much', async () => {
  const served = await serveWindow();
  const ask = (more = '') => `GET /assets/main.css HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n${more}\r\n`;
  const answers = await served.raw(`${ask().repeat(3)}${ask('Connection: close\r\n')}`);
  expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(4);
  expect(served.newMessages()).toEqual([]);
  await served.raw(ask().repeat(500));
  expect(served.newMessages()).toEqual([
    'too many requests without waiting for an answer: connection closed',
  ]);
  await expectAlive(served);
});

test('a browser that keeps its connections and asks at once is served on them', async () => {
  const served = await serveWindow();
  await writeFiles(served.folder, { 'assets/large.js': Buffer.alloc(3_000_000) });
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  onTestFinished(() => agent.destroy());
  const load = async (path: string) => {
    const [response] = await once(get({ host: '127.0.0.1', port: served.port, path, agent }), 'response');
    let size = 0;
    for await (const chunk of response) size += chunk.length;
    return size;
  };
  for (let page = 0; page < 20; page += 1) {
    const paths = ['/', '/assets/large.js', ...Array(10).fill('/assets/main.css')];
    const sizes = await Promise.all(paths.map(load));
    expect(sizes.slice(1, 3)).toEqual([3_000_000, 7]);
  }
  expect(served.newMessages()).toEqual([]);
});

test('a browser gives up a connection that it has not used before the server does', () => {
  // Chromium's `kUnusedIdleSocketTimeout`.
  const browserMs = 10_000;
  const { headMs, idleMs, requestMs } = serverLimits(1_024);
  expect(Math.min(headMs, idleMs)).toBeGreaterThan(browserMs);
  expect(requestMs).toBeGreaterThanOrEqual(headMs);
});

test('few descriptors make few connections, many make no more than anybody needs', () => {
  expect(serverLimits(256)).toMatchObject({ strangers: 16, windows: 32 });
  expect(serverLimits(1_048_576)).toMatchObject({ strangers: 64, windows: 64 });
  expect(serverLimits(Number.POSITIVE_INFINITY)).toMatchObject({ strangers: 64, windows: 64 });
  for (const descriptors of [64, 100, 256, 1_024]) {
    const { strangers, windows } = serverLimits(descriptors);
    // Each connection without the token may have a file open.
    expect(2 * strangers + windows).toBeLessThanOrEqual(descriptors / 4);
  }
});
