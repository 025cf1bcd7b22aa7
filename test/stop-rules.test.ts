import { expect, test } from 'vitest';
import { findStop } from '../src/engine/session/loop/stop-rules.ts';
import { slowness } from './support/clock.ts';
import { BASELINE_VALUE } from './support/gated-night.ts';
import { eventsOf, sitting } from './support/pawl.ts';
import { contractFile, FAST_TRAINER } from './support/scaffold.ts';
import { checkNight, prepareNight, TAG } from './support/study.ts';

const FACTS = { experiments: 0, best: 1, sinceKeep: 0, crashesInRow: 0 };

test('the target ends the study', async () => {
  const night = await prepareNight();
  const { events, code } = await sitting(
    ['run', night.repository, '--tag', TAG, '--strategy', 'ladder', '--target', '1.054', '-n', '50'],
    night,
  );
  expect(code).toBe(0);
  const stopped = eventsOf(events, 'study_stopped')[0];
  expect(stopped).toMatchObject({ reason: 'target', best: 1.054 });
  // The one that reached it was the last.
  expect(eventsOf(events, 'verdict').at(-1)).toMatchObject({ metric: 1.054, n: stopped?.bestExperiment });
  await checkNight(night);
});

test('patience ends the study', async () => {
  const night = await prepareNight({ trainer: FAST_TRAINER.replace(/^value=.*$/m, 'value=1000000') });
  const { events, code } = await sitting(['run', night.repository, '--tag', TAG, '--patience', '3'], night);
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'patience', discard: 3, keep: 1 });
  // It is a rule of the study, and still holds.
  const again = await sitting(['resume', night.repository], night);
  expect(eventsOf(again.events, 'study_stopped')[0]).toMatchObject({ reason: 'patience', finished: 4 });
  expect(eventsOf(again.events, 'experiment_started')).toEqual([]);
  await checkNight(night);
});

test('crashes in a row end the study', async () => {
  const trainer = `${FAST_TRAINER.replace(/^printf/m, `[ "$value" = ${BASELINE_VALUE} ] || exit 7\nprintf`)}`;
  const night = await prepareNight({ trainer });
  const { events, code } = await sitting(
    ['run', night.repository, '--tag', TAG, '--max-crashes', '2'],
    night,
  );
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'crashes', keep: 1, crash: 2 });
  await checkNight(night);
});

test('a deadline ends the study, and nothing starts after it', async () => {
  const night = await prepareNight();
  // A machine with much to do takes seconds to begin, and a time that has passed is refused.
  const deadline = new Date(Date.now() + 3_000 * slowness());
  const { events, code } = await sitting(
    ['run', night.repository, '--tag', TAG, '--deadline', deadline.toISOString()],
    night,
  );
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'deadline' });
  // It is looked at after a verdict, a moment before the next start is written down.
  const starts = new Set(eventsOf(events, 'experiment_started').map(({ n }) => n));
  const late = eventsOf(events, 'verdict').filter(({ at }) => at >= deadline.getTime());
  for (const { n } of late) expect(starts).not.toContain(n + 1);
  await checkNight(night);
});

test('no experiments at all is the baseline alone', async () => {
  const night = await prepareNight();
  const { events, code } = await sitting(['run', night.repository, '--tag', TAG, '-n', '0'], night);
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'experiments', finished: 1, keep: 1 });
  await checkNight(night);
});

test('a baseline that crashes ends with 3, and resume tries it again', async () => {
  const night = await prepareNight({
    trainer: `[ -n "$MENDED" ] || { echo 'ValueError: no data'; exit 1; }\n${FAST_TRAINER}`,
    contract: contractFile({ more: 'environment = ["MENDED"]' }),
  });
  const { home, repository } = night;
  for (const args of [
    ['run', repository, '--tag', TAG, '-n', '2'],
    ['resume', repository],
  ]) {
    const failed = await sitting(args, { home });
    expect(failed.code).toBe(3);
    expect(eventsOf(failed.events, 'study_stopped')[0]).toMatchObject({
      reason: 'baseline_failed',
      finished: 1,
      crash: 1,
      baseline: null,
      best: null,
    });
    await checkNight(night);
  }
  const mended = await sitting(['resume', repository], { home, env: { MENDED: '1' } });
  expect(mended.code).toBe(0);
  expect(eventsOf(mended.events, 'verdict').map(event => event.n)).toEqual([0, 1, 2]);
  expect(eventsOf(mended.events, 'study_stopped')[0]).toMatchObject({ reason: 'experiments', crash: 0 });
  await checkNight(night);
});

test('the deadline holds from its instant on', () => {
  expect(findStop({ deadline: 100 }, FACTS, 'minimize', 99)).toBeNull();
  expect(findStop({ deadline: 100 }, FACTS, 'minimize', 100)?.reason).toBe('deadline');
});

test('a target is reached from above when the goal is to maximize', () => {
  const facts = { ...FACTS, best: 5 };
  expect(findStop({ target: 6 }, facts, 'maximize', 0)).toBeNull();
  expect(findStop({ target: 5 }, facts, 'maximize', 0)?.reason).toBe('target');
});

test('a rule that one experiment meets says so in the singular', () => {
  const facts = { experiments: 1, best: 1, sinceKeep: 1, crashesInRow: 1 };
  const detail = (limits: Parameters<typeof findStop>[0]) => findStop(limits, facts, 'minimize', 0)?.detail;
  expect(detail({ experiments: 1 })).toBe('One experiment is done.');
  expect(detail({ patience: 1 })).toBe('No gain in 1 experiment.');
  expect(detail({ crashes: 1 })).toBe('One experiment crashed.');
});
