import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Channel, readChannel, saveChannel } from '../src/engine/notify/channel.ts';
import { Outbox } from '../src/engine/notify/outbox.ts';
import { requestOf } from '../src/engine/notify/request-of.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import { type ChannelForm, channelSchema } from '../src/shared/channel.ts';
import type { EngineEventBody } from '../src/shared/events.ts';
import { listenLocally } from './support/listen-locally.ts';
import { pawl, sitting } from './support/pawl.ts';
import { type Answer, openReceiver } from './support/receiver.ts';
import { createRepository, temporaryFolder } from './support/scaffold.ts';
import { openDesk, refusalOf } from './support/service.ts';

const ALL = { new_best: true, study_ended: true, crashes: true, attention: true };
const NONE = { diff: false, log: false };

function form(url: string, kind: ChannelForm['kind'] = 'webhook', encloses = NONE): ChannelForm {
  return { kind, url, tells: ALL, encloses };
}

/** LR 1 is better than 0; from 2 on it crashes, with a path and a key in its output. */
const TRAINER = `LR=0
case $LR in 0) v=1.00 ;; 1) v=0.90 ;; *) echo "no $PWD/data.bin hf_abcdefghijklmnopqrstuvwx"; exit 1 ;; esac
printf 'val_bpb: %s\\n' $v
`;
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
sed -i "s/^LR=.*/LR=$n/" train.sh
echo "{\\"hypothesis\\":\\"Set LR to $n, @channel <b>\\"}"`;

async function receiver(answers: readonly Answer[] = []) {
  const server = await openReceiver(answers);
  onTestFinished(server.close);
  return server;
}

async function studied(channel: (home: string) => Promise<Channel>, experiments = 4) {
  const home = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': TRAINER,
    'pawl.toml':
      '[contract]\neditable = ["train.sh"]\ntrain = "sh train.sh"\n[metric]\nname = "val_bpb"\n[budget]\nseconds = 5\n',
  });
  const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
  const chosen = await channel(home);
  ledger.write(() => saveChannel(ledger, chosen));
  ledger.close();
  const args = ['run', repository, '--tag', 'night', '--command', PROPOSER, '-n', String(experiments)];
  await sitting(args, { home });
  return { home, repository };
}

test('a new best, crashes in a row and the end with its debrief reach a webhook, without a diff, a log, a path or a key', async () => {
  const { url, received } = await receiver();
  const { home, repository } = await studied(async () => ({
    ...{ form: form(`${url}/hook`), token: 'secret-token', isOn: true },
  }));
  expect(received.map(({ path, body }) => [path, body.kind, body.n])).toEqual([
    ['/hook', 'new_best', 1],
    ['/hook', 'crashes', 4],
    ['/hook', 'study_ended', 1],
  ]);
  expect(received[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Bearer secret-token',
  });
  expect(received[0]?.body).toMatchObject({
    ...{ app: 'pawl', version: 1, title: 'New best: 0.9', diff: null, log: null, debrief: null, heldBack: 0 },
    body: 'val_bpb 1 → 0.9 (−10.00 %) in experiment 1 of night.',
    study: { tag: 'night' },
    metric: { name: 'val_bpb', goal: 'minimize' },
  });
  expect(received[2]?.body.debrief).toMatchObject({
    sentences: expect.arrayContaining([expect.stringMatching(/^#1 Set LR to 1.*: \+0\.1, one run$/)]),
    whole: { counts: { tried: 4, keep: 1, crash: 3 } },
  });
  const all = JSON.stringify(received.map(({ body }) => body));
  for (const secret of [home, repository, 'hf_abc', 'secret-token']) expect(all).not.toContain(secret);
});

test('what the user asks for is sent along: the diff of a new best, the end of the log of a crash', async () => {
  const { url, received } = await receiver();
  const { repository } = await studied(async () => ({
    ...{ form: form(url, 'webhook', { diff: true, log: true }), token: null, isOn: true },
  }));
  expect(received[0]?.body.diff).toContain('+LR=1');
  expect(received[1]?.body.log).toContain('data.bin [hidden]');
  expect(received[1]?.body.log).not.toContain(repository);
  expect(received[0]?.headers.authorization).toBeUndefined();
});

test('ntfy and Slack are sent what they read, and nothing a model wrote notifies anybody', async () => {
  const { url, received } = await receiver();
  await studied(async () => ({ form: form(`${url}/base/my-topic`, 'ntfy'), token: null, isOn: true }), 1);
  expect(received[0]).toMatchObject({
    path: '/base/',
    body: { topic: 'my-topic', title: 'New best: 0.9', priority: 3, message: expect.stringContaining('0.9') },
  });
  const slack = await receiver();
  await studied(async () => ({ form: form(`${slack.url}/s`, 'slack'), token: null, isOn: true }), 1);
  expect(slack.received.at(-1)?.body).toEqual({ text: expect.any(String), mrkdwn: false });
  const text = String(slack.received.at(-1)?.body.text);
  expect(text).toContain('Set LR to 1, @\u200bchannel &lt;b&gt;');
});

test('nothing is sent before it is switched on, nor what the user does not want', async () => {
  const { url, received } = await receiver();
  await studied(async () => ({ form: form(url), token: null, isOn: false }), 1);
  expect(received).toEqual([]);
  const tells = { ...ALL, new_best: false };
  await studied(async () => ({ form: { ...form(url), tells }, token: null, isOn: true }), 1);
  expect(received.map(({ body }) => body.kind)).toEqual(['study_ended']);
});

/** A ledger with a study, and an outbox over it that tries again at once. */
async function outbox(url: string, now = () => Date.now()) {
  const { home } = await studied(async () => ({ form: form(url), token: null, isOn: false }), 0);
  const paths = dataPaths({ PAWL_HOME: home });
  const ledger = openLedger(join(home, 'pawl.sqlite'));
  const failures: string[] = [];
  const ports = { ledger, paths, environment: {}, now, retryMs: [1, 1] };
  const made = new Outbox({ ...ports, onFailure: error => failures.push(error) });
  const study = ledger.studies.list()[0]?.id ?? '';
  const tell = (event: EngineEventBody) => ledger.write(() => made.keep(event, study));
  ledger.write(() => saveChannel(ledger, { form: form(url), token: null, isOn: true }));
  return { outbox: made, ledger, failures, tell, study };
}

const trouble = (message: string): EngineEventBody => ({ type: 'warning', code: 'sandbox', message });

test('what a server cannot take now is sent again; what it refuses is given up, and both are told', async () => {
  const server = await receiver([
    { status: 503 },
    { status: 429, headers: { 'retry-after': '0' } },
    { status: 200 },
    { status: 404, body: 'no_service' },
    { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    ...Array.from({ length: 1_000 }, () => ({ status: 500 })),
  ]);
  let hours = 0;
  const {
    outbox: box,
    ledger,
    failures,
    tell,
  } = await outbox(server.url, () => 1_800_000_000_000 + hours * 3_600_000);
  for (const word of ['one', 'two', 'three', 'four']) tell(trouble(word));
  box.send();
  // A server that is away is tried for a day.
  await server.until(12);
  hours = 25;
  await box.settled(60_000);
  expect(server.received.slice(0, 12).map(({ body }) => body.body)).toEqual([
    ...['one', 'one', 'one', 'two', 'three', ...Array.from({ length: 7 }, () => 'four')],
  ]);
  expect(new Set(server.received.slice(0, 3).map(({ body }) => body.id)).size).toBe(1);
  expect(failures).toEqual([
    'The server answered 404: no_service',
    'The server answered 302',
    'The server answered 500',
  ]);
  expect(ledger.messages.newest()).toMatchObject({ isSent: false, error: 'The server answered 500' });
  expect(ledger.messages.countWaiting()).toBe(0);
});

test('a message that an engine could not send is sent by the next, unless it is a day old or the channel is off', async () => {
  const server = await receiver();
  let hours = 0;
  const now = () => 1_800_000_000_000 + hours * 3_600_000;
  const { outbox: killed, ledger, tell } = await outbox(server.url, now);
  tell(trouble('old'));
  killed.close();
  killed.send();
  hours = 25;
  tell(trouble('new'));
  const paths = dataPaths({ PAWL_HOME: await temporaryFolder() });
  const failures: string[] = [];
  const next = new Outbox({ ledger, paths, environment: {}, now, onFailure: error => failures.push(error) });
  next.send();
  await next.settled(60_000);
  expect(server.received.map(({ body }) => body.body)).toEqual(['new']);
  expect(failures).toEqual(['It could not be sent within a day.']);
  const channel = readChannel(ledger);
  tell(trouble('too late'));
  ledger.write(() => channel && saveChannel(ledger, { ...channel, isOn: false }));
  next.send();
  await next.settled(60_000);
  expect(failures[1]).toBe('It was switched off before this could be sent.');
  expect(server.received).toHaveLength(1);
});

test('more than twenty in an hour are held back, the next one says how many, and the end is always told', async () => {
  const server = await receiver();
  let minutes = 0;
  const { outbox: box, tell } = await outbox(server.url, () => 1_800_000_000_000 + minutes * 60_000);
  for (let count = 0; count < 25; count += 1) tell(trouble(`trouble ${count}`));
  tell({
    ...{
      type: 'study_stopped',
      reason: 'deadline',
      detail: null,
      finished: 1,
      keep: 1,
      discard: 0,
      crash: 0,
      baselineVerdict: 'keep',
    },
    ...{ baseline: 1, best: 1, bestExperiment: 0, claims: [] },
  });
  box.send();
  await box.settled(60_000);
  expect(server.received).toHaveLength(21);
  expect(server.received.at(-1)?.body).toMatchObject({ kind: 'study_ended', heldBack: 5 });
  minutes = 61;
  tell(trouble('later'));
  box.send();
  await box.settled(60_000);
  expect(server.received.at(-1)?.body).toMatchObject({ body: 'later', heldBack: 0 });
});

test('who quits does not wait for a try that comes too late', async () => {
  const server = await receiver([{ status: 503, headers: { 'retry-after': '500' } }]);
  const { outbox: box, ledger, tell } = await outbox(server.url);
  tell(trouble('later'));
  box.send();
  await box.settled(60_000);
  await box.settled(60_000);
  expect(server.received).toHaveLength(1);
  expect(ledger.messages.countWaiting()).toBe(1);
  box.close();
});

test('a server that has taken a message and goes on talking is not sent it again', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200);
    response.write('thank');
    taken += 1;
  });
  let taken = 0;
  const { url, close } = await listenLocally(server);
  onTestFinished(close);
  const { outbox: box, ledger, tell } = await outbox(`${url}/`);
  tell(trouble('once'));
  box.send();
  await box.settled(60_000);
  expect(taken).toBe(1);
  expect(ledger.messages.newest()).toMatchObject({ isSent: true });
});

test('the failure of the channel is not told over the channel', async () => {
  const { outbox: box, ledger, tell, study } = await outbox('http://127.0.0.1:9/');
  const warning: EngineEventBody = { type: 'warning', code: 'channel', message: 'x' };
  expect(box.wants(warning, study)).toBe(false);
  expect(box.wants(trouble('x'), study)).toBe(true);
  tell(warning);
  expect(ledger.messages.countWaiting()).toBe(0);
});

test('a window previews every message word for word, tests the address, and is never given the token', async () => {
  const server = await receiver([{ status: 200 }, { status: 403, body: 'forbidden' }]);
  const { home } = await studied(async () => ({ form: form(server.url), token: null, isOn: false }), 1);
  const { calls } = await openDesk({ home });
  const input = { form: form(`${server.url}/my-topic`, 'ntfy'), token: 'tk_secret' };
  const previews = await calls.channel.preview(input);
  expect(previews.map(({ kind, url }) => [kind, url])).toEqual([
    ...['new_best', 'study_ended', 'crashes', 'attention'].map(kind => [kind, `${server.url}/`]),
  ]);
  expect(previews[0]?.headers.authorization).toBe('Bearer your token');
  expect(JSON.parse(previews[0]?.body ?? '')).toMatchObject({ topic: 'my-topic', title: 'New best: 0.9' });
  expect(server.received).toEqual([]);
  expect(await calls.channel.test(input)).toEqual({ error: null });
  expect(server.received[0]?.headers.authorization).toBe('Bearer tk_secret');
  expect(await calls.channel.test(input)).toEqual({ error: 'The server answered 403: forbidden' });
  const view = await calls.channel.save({ ...input, isOn: true });
  expect(view).toMatchObject({ form: input.form, hasToken: true, isOn: true });
  expect(JSON.stringify(view)).not.toContain('tk_secret');
  // The token stays with its host, and goes to no other.
  expect(await calls.channel.save({ form: input.form, isOn: false })).toMatchObject({ hasToken: true });
  const elsewhere = { ...input.form, url: 'https://example.com/my-topic' };
  expect(await calls.channel.save({ form: elsewhere, isOn: false })).toMatchObject({ hasToken: false });
});

test.each([
  ['ftp://example.com/x', /begins with https/],
  ['https://user:word@example.com/x', /name and password out of the address/],
  ['https://ntfy.sh/', /topic of ntfy ends with its name/],
  ['https://ntfy.sh/two words', /topic of ntfy ends with its name/],
])('the address %s is refused', async (url, message) => {
  const found = channelSchema.safeParse(form(url, 'ntfy'));
  expect(found.success).toBe(false);
  expect(found.error?.issues[0]?.message).toMatch(message);
  const { calls } = await openDesk();
  await refusalOf(calls.channel.save({ form: form(url, 'ntfy'), isOn: true }));
});

test('a text for ntfy is cut before the server would make a file of it, and at no half character', () => {
  const message = {
    ...{ id: 'x-1', at: '', kind: 'attention' as const, title: 't', body: 'ä'.repeat(4_000), n: null },
    study: { id: 'x', tag: 't', project: 'p' },
    metric: { name: 'm', goal: 'minimize' as const },
    ...{ debrief: null, diff: null, log: null, heldBack: 0 },
  };
  const { body } = requestOf({ form: form('https://ntfy.sh/a', 'ntfy'), token: null }, message);
  const { message: text } = JSON.parse(body);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_000);
  expect(text).toMatch(/^ä+…$/);
});

test('pawl notify shows word for word what would be sent, and switches on only where it is told to', async () => {
  const { url, received } = await receiver();
  const home = await temporaryFolder();
  const run = (...args: string[]) => pawl(['notify', ...args], { home });
  expect((await run()).stdout).toBe('Nothing is sent anywhere. See "pawl notify --help".\n');
  const shown = await run('--ntfy', `${url}/topic`);
  expect(shown.stdout).toContain('"topic": "topic"');
  expect(shown.stdout).toContain('Not switched on');
  expect((await run()).stdout).toContain('off');
  const on = await run('--ntfy', `${url}/topic`, '--events', 'new_best,attention', '--yes');
  expect(on.stdout).toContain('Switched on');
  expect((await run('--test')).stdout).toBe('The test message was taken.\n');
  expect(received[0]?.body).toMatchObject({ topic: 'topic', title: 'Pawl can reach you' });
  const ledger = openLedger(join(home, 'pawl.sqlite'));
  expect(readChannel(ledger)?.form.tells).toEqual({ ...ALL, study_ended: false, crashes: false });
  ledger.close();
  expect((await run('--off')).stdout).toContain('Switched off');
  const wrong = await run('--slack', 'nonsense');
  expect(wrong.stderr).toContain('Write an address that begins with https');
  expect(wrong.code).not.toBe(0);
});
