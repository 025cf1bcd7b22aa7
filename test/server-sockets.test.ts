import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { fastRepository } from './support/scaffold.ts';
import { callsOver, closeOf, expectAlive, openSocket, serveWindow } from './support/served.ts';
import { eventsOfType, refusalOf, untilStopped } from './support/service.ts';
import { TestWindow } from './support/window.ts';

/** What libraries say on their own is in no log: nothing may be. */
let said: MockInstance[] = [];
beforeEach(() => {
  said = (['log', 'info', 'warn', 'error'] as const).map(name => vi.spyOn(console, name));
});
afterEach(() => {
  vi.useRealTimers();
  for (const spy of said) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

/** A frame from a client, masked with zeros, whose header says what it likes. */
function frame(first: number, payload: Buffer, length = payload.length): Buffer {
  const header =
    length < 126
      ? Buffer.from([first, 0x80 | length])
      : Buffer.concat([Buffer.from([first, 0x80 | 127]), Buffer.alloc(8)]);
  if (length >= 126) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

test('frames that break the protocol end their connection only', async () => {
  const served = await serveWindow();
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(64, 0xff),
    Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]),
    frame(0xc1, Buffer.from('{}')),
    frame(0x83, Buffer.from('{}')),
    frame(0x80, Buffer.from('{}')),
    frame(0x89, Buffer.alloc(126)),
    frame(0x81, Buffer.from([0xc3, 0x28])),
    frame(0x81, Buffer.alloc(0), 2 ** 32),
    frame(0x81, Buffer.alloc(0), 5 * 1024 * 1024),
    frame(0x88, Buffer.from([0x00])),
    frame(0x88, Buffer.from([0x00, 0x01])),
  ]) {
    const socket = await openSocket(served);
    const closed = closeOf(socket);
    (socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(bytes);
    expect((await closed).code).toBeGreaterThan(1000);
    expect([bytes, served.newMessages()]).toEqual([bytes, ['malformed frame refused']]);
  }
  await expectAlive(served);
});

test('a message that is too large ends its connection only, also in pieces', async () => {
  const served = await serveWindow();
  for (const isWhole of [true, false]) {
    const socket = await openSocket(served);
    const closed = closeOf(socket);
    if (isWhole) socket.send('x'.repeat(4 * 1024 * 1024 + 1));
    else {
      for (let piece = 0; piece < 9; piece += 1)
        socket.send('x'.repeat(512 * 1024), { fin: false }, () => {});
    }
    expect((await closed).code).toBe(1009);
    expect(served.newMessages()).toEqual(['malformed frame refused']);
  }
  const { calls } = served.desk;
  expect((await refusalOf(calls.experiments.get({ study: 'x'.repeat(65), n: 0 }))).message).toContain(
    'validation',
  );
  await expectAlive(served);
});

test('a message that is no call closes its connection, and nothing after it is heard', async () => {
  const served = await serveWindow();
  const ping = JSON.stringify({ i: '1', p: { u: '/app/ping' } });
  for (const message of [
    ...[
      '',
      'null',
      '1',
      '"x"',
      '[]',
      '{}',
      '{',
      'undefined',
      '[[[[',
      '{"i":1}',
      '{"i":"1"}',
      '{"i":"1","p":{}}',
    ],
    ...[
      '{"i":"1","p":{"u":5}}',
      '{"i":"1","p":{"u":"http://evil.com/app/ping"}}',
      '{"i":"1","p":{"u":"app/ping"}}',
    ],
    ...[
      '{"i":"1","p":{"u":"http://["}}',
      '{"i":"","p":{"u":"/app/ping"}}',
      '{"i":"1","t":2,"p":{"u":"/app/ping"}}',
    ],
    ...[
      '{"i":"1","t":3}',
      '{"i":"1","t":3,"p":null}',
      '{"i":"1","t":"4"}',
      '{"i":{"a":1},"t":4}',
      '{"i":"1","t":9}',
    ],
    `{"i":"${'x'.repeat(65)}","p":{"u":"/app/ping"}}`,
    `{"i":"1","p":{"u":"/${'x'.repeat(3_000)}"}}`,
    '{"i":"1","p":{"u":"/app/ping","h":{"content-type":"multipart/form-data; boundary=x"}}}',
    '{"i":"1","p":{"u":"/app/ping","h":{"Content-Disposition":"attachment; filename=x"}}}',
    '{"i":"1","p":{"u":"/app/ping","h":{"x":["a"]}}}',
    '{"i":"1","p":{"u":"/app/ping"},"__proto__":{"x":1}}',
    '['.repeat(1_000_000),
  ]) {
    const socket = await openSocket(served);
    const answers: string[] = [];
    socket.on('message', data => answers.push(String(data)));
    const closed = closeOf(socket);
    socket.send(message);
    socket.send(ping);
    expect(await closed).toEqual({ code: 1008, reason: 'not a call' });
    expect([message.slice(0, 80), served.newMessages()]).toEqual([
      message.slice(0, 80),
      ['message refused: not a call'],
    ]);
    expect(answers).toEqual([]);
  }
  const socket = await openSocket(served);
  const closed = closeOf(socket);
  socket.send(Buffer.from(ping));
  expect(await closed).toEqual({ code: 1008, reason: 'binary' });
  expect(served.newMessages()).toEqual(['message refused: binary']);
  await expectAlive(served);
});

/** Sends one request as it is and returns the status and body of its answer. */
async function ask(socket: WebSocket, url: string, body?: unknown, more: object = {}) {
  const id = Math.random().toString(36).slice(2);
  const answer = new Promise<{ s?: number; b?: unknown }>(resolve => {
    socket.on('message', function listen(data) {
      const message = JSON.parse(String(data)) as { i: string; p: object };
      if (message.i !== id) return;
      socket.off('message', listen);
      resolve(message.p);
    });
  });
  socket.send(JSON.stringify({ i: id, p: { u: url, ...(body === undefined ? {} : { b: body }), ...more } }));
  const { s = 200, b } = await answer;
  return { status: s, body: JSON.stringify(b) };
}

test('calls that are not there and payloads that are not theirs are refused one by one', async () => {
  const served = await serveWindow();
  const socket = await openSocket(served);
  for (const url of [
    ...[
      '/',
      '/app',
      '/app/nothing',
      '/app/ping/more',
      '/__proto__',
      '/constructor',
      '/app/__proto__',
      '/app/constructor',
    ],
    ...['/toString', '/%61pp/nothing', '//app/ping/x', '/app/ping%00', '/studies'],
  ]) {
    expect([url, (await ask(socket, url)).status]).toEqual([url, 404]);
  }
  const deepText = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  for (const body of [
    ...[null, 1, 'x', [], {}, { json: null }, { json: {} }, { json: { study: 1, n: 0 } }],
    { json: { study: 'x', n: 0, more: 1 } },
    { json: { study: 'x', n: 'now' }, meta: [[3, 'n']] },
    { json: { study: 'x', n: '0' }, meta: [[0, 'n']] },
    { json: { study: 'x', n: 0 }, meta: [[0, '__proto__', 'polluted']] },
    { json: { study: 'x', n: 0 }, meta: [[1, 'constructor', 'prototype', 'polluted']] },
    { json: { study: 'x', n: 0 }, meta: [[99, 'n']] },
    { json: { study: 'x', n: 0 }, meta: 'x' },
    { json: { study: '(', n: 0 }, meta: [[5, 'study']] },
    { json: { study: ['('], n: 0 }, meta: [[5, 'study']] },
    { json: { study: 'x', n: 0 }, maps: [['study']] },
    JSON.parse('{"json":{"study":"x","n":0,"__proto__":{"polluted":1}}}'),
  ]) {
    const { status } = await ask(socket, '/experiments/get', body);
    expect([400, 404, 500]).toContain(status);
  }
  socket.send(`{"i":"deep","p":{"u":"/experiments/get","b":{"json":${deepText}}}}`);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  for (const url of [
    '/app/ping?data=x',
    '/app/ping?data=%7B',
    '/experiments/get?data=%5B1',
    '/app/ping?data=',
  ]) {
    expect((await ask(socket, url, undefined, { m: 'GET' })).status).toBeLessThan(600);
  }
  // A wrong input says what is wrong with it, and nothing of the inside.
  const wrong = await ask(socket, '/studies/steer', { json: { study: 'x', text: '' } });
  expect(wrong.status).toBe(400);
  expect(wrong.body).toContain('Write the note first.');
  expect(wrong.body).not.toMatch(/\.ts|node_modules/);
  expect(await callsOver(socket).app.ping()).toBe('pong');
  expect(served.desk.errors).toEqual([]);
});

test('a window that is gone without a word is dropped at the second heartbeat, one that answers is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const served = await serveWindow();
  const [gone, there] = [await openSocket(served), await openSocket(served)];
  // As behind a cable that was pulled: nothing is read, nothing is answered.
  (gone as unknown as { _socket: { pause(): void } })._socket.pause();
  const ponged = () => new Promise(resolve => there.once('ping', resolve));
  for (let beat = 0; beat < 3; beat += 1) {
    const pinged = ponged();
    vi.advanceTimersByTime(30_000);
    await pinged;
    // The pong is on its way before the answer to this.
    await callsOver(there).app.ping();
  }
  expect(served.newMessages()).toEqual(['window does not answer; dropped']);
  gone.terminate();
  expect(there.readyState).toBe(WebSocket.OPEN);
});

test('a window that asks and does not read is dropped before it costs much memory', async () => {
  const served = await serveWindow();
  const { desk } = served;
  const { id: study } = await desk.calls.studies.start({
    ...{ path: await fastRepository(), proposer: { kind: 'search', seed: 1 }, stop: { experiments: 0 } },
  });
  await untilStopped(desk, study);
  const socket = await openSocket(served);
  (socket as unknown as { _socket: { pause(): void } })._socket.pause();
  await desk.calls.experiments.addNote({ study, n: 0, text: 'x'.repeat(20_000) });
  for (let note = 0; note < 50; note += 1) {
    await desk.calls.experiments.addNote({ study, n: 0, text: 'x'.repeat(20_000) });
  }
  for (let call = 0; call < 100; call += 1) {
    const body = { json: { study, n: 0 } };
    socket.send(JSON.stringify({ i: `${call}`, p: { u: '/experiments/get', b: body } }));
  }
  await served.untilLogged('window does not read; dropped');
  socket.terminate();
  await expectAlive(served);
});

test('a study goes on when its window goes, and another window finds it as it is', async () => {
  const served = await serveWindow();
  const { desk } = served;
  const path = await fastRepository();
  const first = await openSocket(served);
  const calls = callsOver(first);
  const card = await calls.studies.start({
    path,
    proposer: { kind: 'search', seed: 1 },
    stop: { experiments: 3 },
  });
  const window = await TestWindow.open(calls, card.id);
  await window.reach(desk.service.hub.seq);
  first.terminate();
  const second = callsOver(await openSocket(served));
  const other = await TestWindow.open(second, card.id);
  await untilStopped(desk, card.id);
  await other.reach(desk.service.hub.seq);
  const fresh = await TestWindow.open(second, card.id);
  expect(other.picture()).toEqual(fresh.picture());
  expect(fresh.picture().cells).toHaveLength(4);
  expect(eventsOfType(desk.events, 'notice').at(-1)?.notice.kind).toBe('study_ended');
  // What a call is refused with reaches the window as it is.
  expect(await refusalOf(second.studies.resume({ study: 'none' }))).toEqual({
    ...{ code: 'study_not_found', message: 'This study is no longer in the ledger.' },
  });
  const exported: string[] = [];
  for await (const piece of await second.studies.export({ study: card.id, format: 'csv' }))
    exported.push(piece);
  expect(exported.join('').split('\r\n')).toHaveLength(6);
});
