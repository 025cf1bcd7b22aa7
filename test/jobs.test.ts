import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import { Engine } from '../src/engine/session/engine.ts';
import { endJobs } from '../src/engine/session/jobs/end-jobs.ts';
import { giveUpJobs, listJobs } from '../src/engine/session/jobs/known-jobs.ts';
import { endRemovedJobs } from '../src/engine/session/jobs/removed-jobs.ts';
import { type Ledger, openLedger } from '../src/engine/store/ledger.ts';
import type { JobPlace } from '../src/shared/machines/lanes.ts';
import type { RepeatPurpose } from '../src/shared/study.ts';
import { pawl } from './support/pawl.ts';
import { ABORTED, plainStudy } from './support/plain-study.ts';
import { temporaryFolder } from './support/scaffold.ts';

/** What the ledger knows of jobs on other machines. */

const PLACE: JobPlace = { kind: 'slurm', folder: '/shared/pawl' };
const COMMIT = 'c'.repeat(40);
/** A study with a baseline that was recorded, to train again. */
async function openWithBaseline(path?: string): Promise<Ledger> {
  const ledger = openLedger(path ?? join(await temporaryFolder(), 'pawl.sqlite'));
  ledger.write(() => {
    ledger.studies.insert(plainStudy({ baseCommit: COMMIT, stop: {}, lanes: ['slurm'] }));
    ledger.experiments.begin('s1', 0, { commit: COMMIT }, 1);
  });
  return ledger;
}

/** A run with a job of its own. */
function begin(ledger: Ledger, k: number, purpose: RepeatPurpose | null, place: JobPlace = PLACE): number {
  return ledger.write(() => {
    const run = ledger.runs.begin(
      's1',
      0,
      { k, commit: COMMIT, purpose, isContained: true, lane: 'slurm' },
      k,
    );
    ledger.jobs.begin({ marker: `s1/0.${k}`, studyId: 's1', n: 0, k, place, gitDir: '/r/.git' });
    return run;
  });
}

const untaken = (ledger: Ledger, purpose: RepeatPurpose | null, place: JobPlace = PLACE) =>
  ledger.jobs.untaken('s1', { n: 0, commit: COMMIT, purpose, place }).map(({ k }) => k);

test('the job of each interrupted repeat is there to take, until a run has its result', async () => {
  const ledger = await openWithBaseline();
  for (const k of [1, 2]) {
    const run = begin(ledger, k, 'headline');
    ledger.write(() => ledger.runs.interrupt(run, 10));
  }
  expect(untaken(ledger, 'headline')).toEqual([1, 2]);
  expect(untaken(ledger, 'audit')).toEqual([]);
  expect(untaken(ledger, null)).toEqual([]);
  expect(untaken(ledger, 'headline', { kind: 'slurm', folder: '/another' })).toEqual([]);
  // A run takes one, and gets as far as its result.
  const taker = ledger.write(() => {
    ledger.jobs.take('s1/0.1', 3);
    const begun = { k: 3, commit: COMMIT, purpose: 'headline', isContained: true, lane: 'slurm' } as const;
    return ledger.runs.begin('s1', 0, begun, 3);
  });
  expect(untaken(ledger, 'headline')).toEqual([2]);
  // It is interrupted, too: what it followed can be taken again.
  ledger.write(() => ledger.runs.interrupt(taker, 20));
  expect(untaken(ledger, 'headline')).toEqual([1, 2]);
  ledger.write(() => ledger.jobs.remove('s1/0.1'));
  expect(untaken(ledger, 'headline')).toEqual([2]);
  ledger.close();
});

test('a job that was lost is not there to take, unless it is not known to have ended', async () => {
  const ledger = await openWithBaseline();
  const lost = (k: number) =>
    ledger.write(() =>
      ledger.runs.finish(begin(ledger, k, null), { ...ABORTED, outcome: { kind: 'interrupted' } }, 10),
    );
  lost(1);
  lost(2);
  expect(untaken(ledger, null)).toEqual([1, 2]);
  ledger.write(() => ledger.jobs.setEnded('s1/0.1'));
  expect(untaken(ledger, null)).toEqual([2]);
  // The engine died before it knew more of this one than that it has ended.
  const interrupted = begin(ledger, 3, null);
  ledger.write(() => {
    ledger.jobs.setEnded('s1/0.3');
    ledger.runs.interrupt(interrupted, 10);
  });
  expect(untaken(ledger, null)).toEqual([2, 3]);
  ledger.close();
});

test('a job of a run that has not ended is not there to take', async () => {
  const ledger = await openWithBaseline();
  begin(ledger, 1, 'headline');
  expect(untaken(ledger, 'headline')).toEqual([]);
  ledger.close();
});

test('a job is settled where its run, or the one that took it, ended in another way than by an interruption', async () => {
  const ledger = await openWithBaseline();
  const settled = () => ledger.jobs.settled('s1').map(({ k }) => k);
  const [stopped, , interrupted] = [0, 1, 2].map(k => begin(ledger, k, null));
  ledger.write(() => {
    // Stopped by the user while its host was out of reach: the job may go on.
    ledger.runs.finish(stopped ?? 0, ABORTED, 10);
    ledger.runs.interrupt(interrupted ?? 0, 10);
  });
  expect(settled()).toEqual([0]);
  const taker = ledger.write(() => {
    ledger.jobs.take('s1/0.2', 3);
    const begun = { k: 3, commit: COMMIT, purpose: null, isContained: true, lane: 'slurm' } as const;
    return ledger.runs.begin('s1', 0, begun, 3);
  });
  expect(settled()).toEqual([0]);
  ledger.write(() => ledger.runs.finish(taker, ABORTED, 20));
  expect(settled()).toEqual([0, 2]);
  ledger.close();
});

test('a job outlives its study in the ledger', async () => {
  const ledger = await openWithBaseline();
  begin(ledger, 1, null);
  ledger.write(() => ledger.studies.removeExperiments('s1', 10));
  ledger.write(() => ledger.studies.remove('s1'));
  expect(ledger.jobs.list('s1')).toEqual([
    { marker: 's1/0.1', studyId: 's1', n: 0, k: 1, place: PLACE, gitDir: '/r/.git', hasEnded: false },
  ]);
  expect(ledger.jobs.settled('s1').map(({ k }) => k)).toEqual([1]);
  ledger.close();
});

/** A job of a study that is no more, on a host that never answers. */
async function withLeftJob(host: string) {
  const home = await temporaryFolder();
  const environment = { ...process.env, PAWL_HOME: home };
  const paths = dataPaths(environment);
  const ledger = openLedger(paths.ledger);
  const place = { kind: 'ssh', host } as const;
  ledger.write(() =>
    ledger.jobs.begin({ marker: 's1/0.1', studyId: 's1', n: 0, k: 1, place, gitDir: '/r/.git' }),
  );
  return { ledger, paths, environment };
}

test('no start of the engine waits for a host that does not answer', async () => {
  const { ledger, paths, environment } = await withLeftJob('nowhere.invalid');
  ledger.close();
  const began = performance.now();
  const engine = await Engine.open({ paths, host: 'test', environment }, null);
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(engine.ledger.jobs.list('s1')).toHaveLength(1);
  engine.close();
});

test('a study that is resumed is no longer made to end what it left: its sitting takes it', async () => {
  const environment = { ...process.env, PAWL_HOME: await temporaryFolder() };
  const paths = dataPaths(environment);
  const ledger = await openWithBaseline(paths.ledger);
  begin(ledger, 1, null, { kind: 'ssh', host: 'nowhere.invalid' });
  ledger.close();
  const engine = await Engine.open({ paths, host: 'test', environment }, null);
  const began = performance.now();
  const left = engine.endJobs('s1');
  // It gets no further than to find that its repository is gone.
  expect((await engine.run('s1', {}, () => {})).error).not.toBeNull();
  expect(await left).toEqual([]);
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(engine.ledger.jobs.list('s1')).toHaveLength(1);
  engine.close();
});

test('a job of a deleted study whose host has not answered for a week is given up, and the user is told where it lies', async () => {
  // No name of a host, so that it cannot even be asked.
  const { ledger, ...places } = await withLeftJob('-nowhere');
  const open = new AbortController().signal;
  const end = (at: number, closed = open) => endRemovedJobs({ ledger, ...places }, at, closed, open);
  const week = 7 * 24 * 3_600_000;
  expect(await end(1_000)).toEqual([
    'Jobs of a deleted study may still run on -nowhere, because it is not known that they have ended: pawl-s1-0.1. "pawl jobs" lists them, and gives up those of a machine that is gone for good.',
  ]);
  expect(await end(week)).toEqual([expect.stringContaining('may still run')]);
  // An engine that closes has not asked for long enough to say so.
  expect(await end(1_000 + week, AbortSignal.abort())).toEqual([]);
  expect(ledger.jobs.list('s1')).toHaveLength(1);
  expect(await end(1_000 + week)).toEqual([
    expect.stringMatching(/is given up, .* 7 days: -nowhere:~\/\.cache\/pawl\/jobs\/pawl-s1-0\.1\./),
  ]);
  expect(ledger.jobs.list('s1')).toEqual([]);
  ledger.close();
});

test('jobs that may still run are listed, and those of a machine that is gone are given up by name', async () => {
  const home = await temporaryFolder();
  const ask = (...args: readonly string[]) => pawl(['jobs', ...args], { home });
  expect((await ask()).stdout).toBe('No job is known on another machine.\n');
  const shared = await temporaryFolder();
  const folder = join(shared, 'jobs/pawl-s1-0.1');
  const here = join(home, 'hosts/gone/jobs/pawl-s1-0.2');
  for (const path of [folder, here]) await mkdir(path, { recursive: true });
  const ledger = await openWithBaseline(join(home, 'pawl.sqlite'));
  for (const [k, place] of [
    [1, { kind: 'slurm', folder: shared }],
    [2, { kind: 'ssh', host: 'gone' }],
  ] as const) {
    const run = begin(ledger, k, 'headline', place);
    ledger.write(() => ledger.runs.interrupt(run, 10));
  }
  const deleted = { marker: 's2/4.0', studyId: 's2', n: 4, k: 0, gitDir: '/r/.git' } as const;
  ledger.write(() => ledger.jobs.begin({ ...deleted, place: { kind: 'ssh', host: 'gone' } }));
  expect((await ask()).stdout).toBe(
    `pawl-s1-0.1  night #0         may still run  ${folder}
pawl-s1-0.2  night #0         may still run  gone:~/.cache/pawl/jobs/pawl-s1-0.2
pawl-s2-4.0  a deleted study  may still run  gone:~/.cache/pawl/jobs/pawl-s2-4.0
`,
  );
  const unknown = await ask('--give-up', 'pawl-s1-0.2', '--give-up', 'pawl-s9-0.0');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('no job pawl-s9-0.0')]);
  expect(ledger.jobs.all()).toHaveLength(3);
  const given = await ask('--give-up', 'pawl-s1-0.2,pawl-s2-4.0', '--give-up', 'pawl-s1-0.1');
  expect(given.stdout).toContain('Whether it has ended is not known: gone:~/.cache/pawl/jobs/pawl-s1-0.2');
  expect([given.code, ledger.jobs.all()]).toEqual([0, []]);
  expect(untaken(ledger, 'headline', { kind: 'ssh', host: 'gone' })).toEqual([]);
  // Where the folder can be reached, a job that begins after all trains nothing.
  expect([existsSync(here), existsSync(join(folder, 'cancel'))]).toEqual([false, true]);
  ledger.close();
});

test('a job that is known to have ended is not listed, and can be given up where its files cannot be removed', async () => {
  const paths = dataPaths({ ...process.env, PAWL_HOME: await temporaryFolder() });
  const ledger = await openWithBaseline(paths.ledger);
  for (const k of [1, 2]) begin(ledger, k, 'headline', { kind: 'ssh', host: '-nowhere' });
  ledger.write(() => ledger.jobs.setEnded('s1/0.1'));
  expect(listJobs(ledger, true).map(({ id }) => id)).toEqual(['pawl-s1-0.2']);
  const ports = { ledger, paths, environment: process.env };
  const told = await endJobs(ledger.jobs.list('s1'), ports, AbortSignal.timeout(60_000));
  expect(told).toEqual([expect.stringContaining('ended: pawl-s1-0.2. ')]);
  expect(await giveUpJobs(['pawl-s1-0.1'], { ledger, paths, isEngineRunning: false })).toHaveLength(1);
  ledger.close();
});

test('the job of a run that is under way is not given up', async () => {
  const environment = { ...process.env, PAWL_HOME: await temporaryFolder() };
  const paths = dataPaths(environment);
  const ledger = await openWithBaseline(paths.ledger);
  const run = begin(ledger, 1, 'headline');
  const giveUp = (isEngineRunning: boolean) =>
    giveUpJobs(['pawl-s1-0.1'], { ledger, paths, isEngineRunning });
  await expect(giveUp(true)).rejects.toThrow('pawl-s1-0.1 is under way');
  // The one that takes its result is as good.
  ledger.write(() => {
    ledger.runs.interrupt(run, 10);
    ledger.jobs.take('s1/0.1', 2);
    const begun = { k: 2, commit: COMMIT, purpose: 'headline', isContained: true, lane: 'slurm' } as const;
    ledger.runs.begin('s1', 0, begun, 2);
  });
  await expect(giveUp(true)).rejects.toThrow('pawl-s1-0.1 is under way');
  // Without an engine it is what one has left that died.
  expect(await giveUp(false)).toHaveLength(1);
  expect(ledger.jobs.all()).toEqual([]);
  ledger.close();
});
