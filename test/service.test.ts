import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { NotebookEvent, StudyCard } from '../src/shared/notebook.ts';
import { type GatedNight, gatedNight } from './support/gated-night.ts';
import { checkInvariants } from './support/invariants.ts';
import { findMarked, lives } from './support/processes.ts';
import { git, temporaryFolder } from './support/scaffold.ts';
import { isTraining, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { checkNight, rowsOf, TAG } from './support/study.ts';
import { gatedDesk, SEARCH, trainingDesk } from './support/training-desk.ts';

const openGate = ({ gate }: GatedNight) => writeFile(gate, '');
const isCard = (accepts: (card: StudyCard) => boolean) => (event: NotebookEvent) =>
  event.type === 'study' && accepts(event.card);

test('a data folder has one service, which gives it back when it closes', async () => {
  const home = await temporaryFolder();
  const first = await openDesk({ home });
  const { epoch, seq, studies, projects } = await first.calls.app.snapshot();
  expect({ seq, studies, projects }).toEqual({ seq: 0, studies: [], projects: [] });
  expect(await first.calls.app.info()).toMatchObject({ host: 'browser', home });
  expect(await first.calls.app.ping()).toBe('pong');
  await expect(openDesk({ home })).rejects.toMatchObject({ code: 'engine_running' });
  await first.close();
  const second = await openDesk({ home });
  expect((await second.calls.app.snapshot()).epoch).not.toBe(epoch);
});

test('a snapshot says what the ledger says, numbered with the last event that is in it', async () => {
  const { night, desk, study } = await trainingDesk();
  const { epoch, seq, studies } = await desk.calls.app.snapshot();
  expect(epoch).toBe(desk.service.hub.epoch);
  expect(seq).toBe(desk.events.length);
  const { experiments } = rowsOf(night.home);
  const card = studies[0];
  expect(studies).toHaveLength(1);
  expect(card).toEqual(desk.service.card(study));
  expect(card).toMatchObject({
    ...{ id: study, tag: TAG, branch: `autoresearch/${TAG}`, state: 'running', stopReason: null },
    ...{ repositoryPath: night.repository, cells: 2, importedFrom: null },
    tally: { finished: 1, keep: 1, discard: 0, crash: 0, baseline: experiments[0]?.metric },
    current: { n: 1, phase: 'training', hypothesis: experiments[1]?.hypothesis, run: { k: 0 }, wish: null },
  });
  const cells = await desk.calls.studies.cells({ study, before: null, limit: 10 });
  expect(cells.map(({ n, commit, metric }) => ({ n, commit, metric }))).toEqual(
    experiments
      .map(({ n, attempt_commit: commit, metric }) => ({ n, commit, metric }))
      .sort((a, b) => b.n - a.n),
  );
  await openGate(night);
  await untilStopped(desk, study);
  await desk.close();
  await checkNight(night);
});

test('closing ends the training and everything it started, and what was in flight can be run again', async () => {
  const { night, desk, study } = await trainingDesk();
  await expect.poll(() => findMarked(study), { interval: 20 }).not.toEqual([]);
  const pids = await findMarked(study);
  await desk.close();
  for (const pid of pids) expect(await lives(pid)).toBe(false);
  expect(rowsOf(night.home)).toMatchObject({
    ...{ state: 'stopped', stopReason: 'user' },
    experiments: [{ phase: 'recorded' }, { phase: 'interrupted' }],
  });
  await openGate(night);
  const again = await openDesk({ home: night.home });
  expect(again.service.running()).toBeNull();
  expect(again.service.latest()).toMatchObject({ id: study, state: 'stopped', current: null });
  await again.calls.studies.resume({ study });
  expect(await untilStopped(again, study)).toMatchObject({
    stopReason: 'experiments',
    tally: { finished: 2 },
  });
  await again.close();
  await checkNight(night);
});

test('closing a paused study ends its pause', async () => {
  const { night, desk, study } = await trainingDesk(3);
  await desk.calls.studies.request({ study, kind: 'pause' });
  await openGate(night);
  await desk.waitFor(isCard(card => card.state === 'paused'));
  await desk.close();
  expect(rowsOf(night.home)).toMatchObject({ state: 'stopped', stopReason: 'user' });
  await checkNight(night);
});

test('one study runs at a time, and a paused one counts', async () => {
  const { night, desk, study } = await trainingDesk(3);
  const other = await gatedNight();
  const refs = await git(other.repository, 'for-each-ref');
  const start = () =>
    desk.calls.studies.start({ path: other.repository, tag: 'other', proposer: SEARCH, stop: {} });
  expect(await refusalOf(start())).toEqual({
    code: 'engine_running',
    message: 'night is running: one study runs at a time, so stop it first.',
  });
  expect(await refusalOf(desk.calls.studies.resume({ study }))).toMatchObject({ code: 'engine_running' });
  await desk.calls.studies.request({ study, kind: 'pause' });
  await openGate(night);
  await desk.waitFor(isCard(card => card.state === 'paused'));
  expect((await refusalOf(start())).message).toContain('night is paused');
  expect(await git(other.repository, 'for-each-ref')).toBe(refs);
  expect((await desk.calls.app.snapshot()).studies).toHaveLength(1);
  await desk.calls.studies.request({ study, kind: 'stop' });
  await untilStopped(desk, study);
  const started = await start();
  expect(desk.service.running()?.id).toBe(started.id);
  // Its repository is removed before the desk is closed.
  await desk.calls.studies.request({ study: started.id, kind: 'stop_now' });
  await untilStopped(desk, started.id);
});

test('a wish is shown until it comes true', async () => {
  const { night, desk, study } = await trainingDesk(2);
  const wish = () => desk.service.card(study).current?.wish;
  const ask = (kind: 'pause' | 'continue' | 'stop') => desk.calls.studies.request({ study, kind });
  expect(wish()).toBeNull();
  await ask('pause');
  expect(wish()).toBe('pause');
  expect(desk.events.at(-1)).toMatchObject({ type: 'study', card: { current: { wish: 'pause' } } });
  await ask('continue');
  expect(wish()).toBeNull();
  await ask('pause');
  await openGate(night);
  await desk.waitFor(isCard(card => card.state === 'paused'));
  await ask('continue');
  const next = await desk.waitForNext(isTraining(2));
  expect((next as { card: StudyCard }).card.current?.wish).toBeNull();
  await ask('stop');
  expect(wish() === 'stop' || desk.service.running() === null).toBe(true);
  expect(await untilStopped(desk, study)).toMatchObject({ state: 'stopped', current: null });
});

test('a wish to stop stays, also on the card, when somebody says continue', async () => {
  const { night, desk, study } = await trainingDesk(20);
  await desk.calls.studies.request({ study, kind: 'stop' });
  await desk.calls.studies.request({ study, kind: 'continue' });
  expect(desk.service.card(study).current?.wish).toBe('stop');
  await openGate(night);
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'user', tally: { finished: 2 } });
});

test('stop waits for the experiment, stop now does not', async () => {
  const { night, desk, study } = await trainingDesk(5);
  await desk.calls.studies.request({ study, kind: 'stop_now' });
  const stopped = await untilStopped(desk, study);
  expect(stopped).toMatchObject({
    ...{ state: 'stopped', stopReason: 'user', stopDetail: null, cells: 2, current: null },
    tally: { finished: 1, best: rowsOf(night.home).experiments[0]?.metric, bestExperiment: 0 },
  });
  const again = desk.waitForNext(isTraining(1));
  await desk.calls.studies.resume({ study, stop: { experiments: 5 } });
  await again;
  await desk.calls.studies.request({ study, kind: 'stop' });
  await openGate(night);
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'user', tally: { finished: 2 } });
  await desk.close();
  await checkNight(night);
});

test('requests for a study that does not run are refused', async () => {
  const desk = await openDesk();
  for (const kind of ['pause', 'continue', 'stop', 'stop_now'] as const) {
    expect(await refusalOf(desk.calls.studies.request({ study: 'none', kind }))).toEqual({
      ...{ code: 'usage', message: 'This study is not running.' },
    });
  }
});

test('what is asked before the study has begun is done when it has', async () => {
  const { night, desk, study } = await gatedDesk();
  expect(desk.service.card(study).state).toBe('ready');
  await desk.calls.studies.request({ study, kind: 'stop_now' });
  expect(await untilStopped(desk, study)).toMatchObject({ state: 'stopped', stopReason: 'user' });
  // Nothing of it waits for the next sitting.
  await openGate(night);
  await desk.calls.studies.resume({ study, stop: { experiments: 1 } });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  await desk.close();
  const { repository, home, userState } = night;
  await checkInvariants({ repository, home, userState, tag: TAG, editable: ['train.sh'] });
});

test('a study that cannot be resumed says so to whoever asked', async () => {
  const desk = await openDesk();
  expect(await refusalOf(desk.calls.studies.resume({ study: 'none' }))).toMatchObject({
    code: 'study_not_found',
  });
  expect(desk.service.running()).toBeNull();
  expect(desk.errors).toEqual([]);
});
