import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { EventHub } from '../src/engine/api/event-hub.ts';
import type { EventBatch, NotebookEvent } from '../src/shared/notebook.ts';
import { gatedNight } from './support/gated-night.ts';
import { createRepository } from './support/scaffold.ts';
import { collect, eventsOfType, isTraining, openDesk, untilStopped } from './support/service.ts';
import { GOOD_TURN, proposer, SHELL_FILES } from './support/trainers.ts';
import { gatedDesk } from './support/training-desk.ts';
import { TestWindow } from './support/window.ts';

/** Crashes where its file says so; otherwise every further line is a gain. */
const TRAINER = `grep -q 'BO[O]M' train.sh && exit 3
printf 'step 1 | loss: 2.5\\rstep 2 | loss: 1.5\\r\\n'
${SHELL_FILES['train.sh']}`;

test('what a window makes of the events is what a fresh snapshot and its pages say, whenever it was opened', async () => {
  const repository = await createRepository({ ...SHELL_FILES, 'train.sh': TRAINER });
  const { command } = await proposer(
    GOOD_TURN,
    // Refused thrice: nothing changed, not the last line, a foreign file.
    'answer()',
    "open('prepare.sh', 'a').write('#')\nanswer()",
    'print("no answer")',
    GOOD_TURN,
    // A crash with two repairs, of which the second is refused.
    "open('train.sh', 'a').write('# BOOM\\n')\nanswer('blow up')",
    "open('train.sh', 'a').write('# BOOM 2\\n')\nanswer('blow up again')",
    'answer()',
    // A crash without a repair.
    "open('train.sh', 'a').write('# BOOM 3\\n')\nanswer('blow up once more')",
    'print("no answer")',
    GOOD_TURN,
  );
  const desk = await openDesk();
  const { calls, service } = desk;
  const early = await TestWindow.open(calls, null);
  await calls.projects.inspect({ path: repository });
  const card = await calls.studies.start({
    path: repository,
    tag: 'night',
    proposer: { kind: 'command', command, timeoutSeconds: 30 },
    stop: { experiments: 6 },
  });
  const windows: TestWindow[] = [];
  const opening: Promise<unknown>[] = [];
  const end = service.hub.subscribe(event => {
    if (desk.events.length % 7 === 0 && event.type !== 'telemetry') {
      opening.push(TestWindow.open(calls, card.id).then(window => windows.push(window)));
    }
  });
  const study = card.id;
  await desk.waitFor(isTraining(1));
  await calls.studies.request({ study, kind: 'pause' });
  await desk.waitFor(event => event.type === 'study' && event.card.state === 'paused');
  await calls.studies.steer({ study, text: 'Try something else.' });
  await calls.experiments.addNote({ study, n: 0, text: 'where it began' });
  await calls.experiments.setTags({ study, n: 1, tags: ['first', 'good', 'first'] });
  await calls.app.saveSettings({ theme: 'dark', notify: { crashes: false } });
  await calls.studies.applyBest({ study, branch: 'best-so-far' });
  await calls.studies.request({ study, kind: 'continue' });
  await untilStopped(desk, study);
  // A second sitting, stopped in the middle.
  await calls.studies.resume({ study, stop: { experiments: 20 } });
  await desk.waitForNext(isTraining(7));
  await calls.studies.request({ study, kind: 'stop_now' });
  await untilStopped(desk, study);
  end();
  await Promise.all(opening);
  expect(windows.length).toBeGreaterThan(10);

  const fresh = await TestWindow.open(calls, study);
  for (const window of windows) {
    await window.reach(service.hub.seq);
    expect(window.picture()).toEqual(fresh.picture());
    expect(window.hasEnded).toBe(false);
  }
  await early.reach(service.hub.seq);
  const { projects, studies, settings } = fresh.picture();
  expect(early.picture()).toMatchObject({ projects, studies, settings });
  // The study was one worth looking at.
  const { cells, refusals, marks } = fresh.picture();
  const words = (cells as { verdict: { word: string } | null }[]).map(cell => cell.verdict?.word);
  expect(words.slice(0, 7)).toEqual(['keep', 'keep', 'keep', 'crash', 'crash', 'keep', 'keep']);
  expect(refusals.map(refusal => refusal.reason)).toEqual([
    'no_change',
    'not_editable',
    'proposer_failed',
    'no_change',
    'proposer_failed',
  ]);
  expect(marks.map(mark => mark.kind)).toEqual([
    ...['started', 'paused', 'steered', 'applied', 'continued', 'stopped', 'started', 'stopped'],
  ]);
});

/** A hub with `count` events, told apart by their number. */
function hubWith(count: number): EventHub {
  const hub = new EventHub();
  for (let number = 1; number <= count; number += 1) hub.publish(numbered(number));
  return hub;
}

const numbered = (number: number): NotebookEvent => ({ type: 'cell_removed', study: 'night', n: number });
const follow = (hub: EventHub, after: number, epoch: string = hub.epoch) =>
  collect(Promise.resolve(hub.follow(epoch, after, undefined)));

test('nobody can follow another life of the host, from a number to come, or from one that is forgotten', async () => {
  const hub = hubWith(12);
  expect(await follow(hub, 3, 'another')).toEqual([]);
  expect(await follow(hub, 13)).toEqual([]);
  const long = hubWith(10_001);
  expect(await follow(long, 0)).toEqual([]);
  expect(await follow(long, 5_000)).toEqual([]);
  // The first number whose successors are all there.
  const { value } = await long.follow(long.epoch, 5_001, undefined).next();
  expect((value as EventBatch).from).toBe(5_002);
});

test('a follower that falls too far behind is ended rather than given a gap', async () => {
  const hub = hubWith(1);
  const batches = hub.follow(hub.epoch, 0, undefined);
  expect(await batches.next()).toMatchObject({ done: false, value: { from: 1 } });
  for (let number = 2; number <= 10_100; number += 1) hub.publish(numbered(number));
  expect(await batches.next()).toEqual({ done: true, value: undefined });
});

test('a follower gets everything once and in order, in ten batches a second at most', async () => {
  const hub = hubWith(700);
  const ended = new AbortController();
  const numbers: number[] = [];
  const times: number[] = [];
  const others = hub.follow(hub.epoch, 0, ended.signal);
  await others.next();
  let published = 700;
  for await (const { from, events } of hub.follow(hub.epoch, 0, ended.signal)) {
    times.push(performance.now());
    expect(from).toBe(numbers.length + 1);
    for (const event of events) numbers.push((event as { n: number }).n);
    if (numbers.length >= 900) break;
    // In many turns, each of which could wake the follower.
    for (let index = 0; index < 50; index += 1) {
      published += 1;
      setImmediate(number => hub.publish(numbered(number)), published);
    }
  }
  expect(numbers.slice(0, 900)).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
  expect(times.length).toBeGreaterThanOrEqual(5);
  for (const [index, time] of times.slice(1).entries()) {
    expect(time - (times[index] ?? 0)).toBeGreaterThan(95);
  }
  ended.abort();
  // The other one sits in its wait and leaves with an AbortError.
  await expect(
    (async () => {
      for await (const _ of others);
    })(),
  ).rejects.toThrow(/abort/i);
});

test('a follower that leaves while nothing happens is not woken any more', async () => {
  const hub = new EventHub();
  const ended = new AbortController();
  const next = hub.follow(hub.epoch, 0, ended.signal).next();
  ended.abort();
  await expect(next).rejects.toThrow(/abort/i);
  hub.publish(numbered(1));
  expect(hub.seq).toBe(1);
});

test('what trains shows its points in batches, not-a-number as a hole', async () => {
  const desk = await openDesk();
  const progress = (n: number, elapsedSeconds: number, loss: number | 'NaN') =>
    desk.service.announcer.handle({
      ...{ type: 'progress', seq: 1, at: 1, study: 'night', n, k: 0, elapsedSeconds, values: { loss } },
    });
  progress(1, 1, 3);
  progress(1, 2, 'NaN');
  progress(1, 3, 2);
  expect(eventsOfType(desk.events, 'live')).toEqual([]);
  expect(await desk.waitFor(event => event.type === 'live')).toEqual({
    ...{ type: 'live', study: 'night', n: 1, k: 0 },
    points: [
      { seconds: 1, values: { loss: 3 } },
      { seconds: 2, values: { loss: null } },
      { seconds: 3, values: { loss: 2 } },
    ],
  });
  // Points of two runs never share a batch.
  progress(1, 4, 1);
  progress(2, 0.5, 9);
  await desk.waitFor(event => event.type === 'live' && event.n === 2);
  expect(eventsOfType(desk.events, 'live').map(({ n, points }) => [n, points.length])).toEqual([
    [1, 3],
    [1, 1],
    [2, 1],
  ]);
  // A window that comes now gets the points of the last seconds of the run that trains.
  progress(2, 2, 8);
  progress(2, 10.6, 7);
  await desk.waitFor(event => event.type === 'live' && event.points.length === 2);
  expect((await desk.calls.app.snapshot()).live).toEqual({
    ...{ study: 'night', n: 2, k: 0 },
    points: [
      { seconds: 2, values: { loss: 8 } },
      { seconds: 10.6, values: { loss: 7 } },
    ],
  });
});

test('every point a training prints slowly enough comes through, and the last ones before its end', async () => {
  const { night, desk, study: id } = await gatedDesk({ experiments: 1 });
  await writeFile(night.gate, '');
  await untilStopped(desk, id);
  const live = eventsOfType(desk.events, 'live');
  expect(live.map(({ n }) => n)).toEqual(expect.arrayContaining([0, 1]));
  const last = live.filter(({ n }) => n === 1).flatMap(({ points }) => points);
  expect(Object.assign({}, ...last.map(({ values }) => values))).toMatchObject({ loss: 2.123456 });
  // None comes after the card says that the run is over.
  const lastLive = desk.events.findLastIndex(event => event.type === 'live');
  const over = desk.events.findLastIndex(event => event.type === 'cell' && event.cell.phase === 'measuring');
  expect(lastLive).toBeLessThan(over);
});

test('notices tell a new best with both values, three crashes in a row once, and how it ended', async () => {
  const files = { ...SHELL_FILES, 'train.sh': TRAINER };
  const repository = await createRepository(files);
  const boom = (number: number) => `open('train.sh', 'a').write('# BOOM ${number}\\n')\nanswer('boom')`;
  const { command } = await proposer(
    GOOD_TURN,
    ...[1, 2, 3, 4].flatMap(number => [boom(number), 'print("no mend")']),
    GOOD_TURN,
  );
  const desk = await openDesk();
  const start = (stop: object, line: string) =>
    desk.calls.studies.start({
      path: repository,
      tag: `t${desk.events.length}`,
      proposer: { kind: 'command', command: line, timeoutSeconds: 30 },
      stop,
    });
  const { id, tag } = await start({ experiments: 6 }, command);
  await untilStopped(desk, id);
  const notices = eventsOfType(desk.events, 'notice').map(({ notice }) => notice);
  const metrics = (await desk.calls.studies.cells({ study: id, before: null, limit: 10 }))
    .filter(cell => cell.verdict?.word === 'keep')
    .map(cell => cell.metric)
    .reverse();
  expect(notices.map(({ kind, n }) => [kind, n])).toEqual([
    ['new_best', 1],
    ['crashes', 4],
    ['new_best', 6],
    ['study_ended', 6],
  ]);
  expect(notices[0]?.title).toBe(`New best: ${metrics[1]}`);
  expect(notices[0]?.body).toContain(`val_bpb ${metrics[0]} → ${metrics[1]} (`);
  expect(notices[1]?.title).toBe(`${tag}: 3 crashes in a row`);
  expect(notices[3]?.body).toBe(`6 experiments are done. Best ${metrics[2]} in #6.`);

  const failing = await start({ experiments: 1 }, 'echo oops >&2; exit 7');
  await untilStopped(desk, failing.id);
  const trouble = eventsOfType(desk.events, 'notice').map(({ notice }) => notice);
  expect(trouble.slice(4)).toMatchObject([{ kind: 'attention', study: failing.id }]);
  expect(trouble[4]?.body).toContain('oops');
  expect(desk.service.wants(trouble[4] as never)).toBe(true);
  await desk.calls.app.saveSettings({ notify: { attention: false } });
  expect(desk.service.wants(trouble[4] as never)).toBe(false);
});

test('a baseline without a number asks for attention, a stop by the user tells nobody', async () => {
  const desk = await openDesk();
  const broken = await createRepository({ ...SHELL_FILES, 'train.sh': 'LR=2\nexit 1\n' });
  const proposer = { kind: 'search', seed: 1 } as const;
  const { id } = await desk.calls.studies.start({ path: broken, proposer, stop: {} });
  expect(await untilStopped(desk, id)).toMatchObject({ stopReason: 'baseline_failed' });
  const body = 'The baseline gave no valid number: Ended with exit code 1.';
  expect(eventsOfType(desk.events, 'notice')).toMatchObject([{ notice: { kind: 'attention', body, n: 0 } }]);
  const night = await gatedNight();
  const second = await desk.calls.studies.start({ path: night.repository, proposer, stop: {} });
  await desk.waitFor(event => event.type === 'study' && event.card.id === second.id && event.card.cells > 1);
  await desk.calls.studies.request({ study: second.id, kind: 'stop' });
  expect(await untilStopped(desk, second.id)).toMatchObject({ stopReason: 'user' });
  const ends = eventsOfType(desk.events, 'notice').filter(({ notice }) => notice.kind !== 'new_best');
  expect(ends).toHaveLength(1);
});
