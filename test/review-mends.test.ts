import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { APPROVE, isCard, isReviewing, reviewNight } from './support/review-night.ts';
import { temporaryFolder } from './support/scaffold.ts';
import { openDesk, untilStopped } from './support/service.ts';
import { checkNight, rowsOf } from './support/study.ts';

/** Crashes with a rate of 3 or 4, and counts its runs. */
const crashing = (counter: string) => `LR=2
  echo run >> ${counter}
  [ $LR -gt 2 ] && [ $LR -lt 5 ] && { echo "Traceback"; exit 1; }
  echo "val_bpb: $LR"`;

test('a mend of a crash waits as well; rejected, the crash stands', async () => {
  const night = await reviewNight({ trainer: crashing('/dev/null'), experiments: 2 });
  const { decide } = night;
  await night.waiting();
  await night.untilNext(() => decide(APPROVE));
  const review = await night.waiting();
  expect(review).toMatchObject({ n: 1, isRepair: true, proposal: { hypothesis: 'Set LR to 4' } });
  expect(review.diff).toContain('-LR=3');
  await night.untilNext(() => decide({ kind: 'reject', reason: 'Not worth it.' }));
  expect(rowsOf(night.home).experiments[1]).toMatchObject({ phase: 'recorded', verdict: 'crash' });
  expect(await night.waiting()).toMatchObject({ n: 2, isRepair: false });
  await decide(APPROVE);
  expect(await night.untilStopped()).toMatchObject({ stopReason: 'experiments' });
  await night.end();
});

test.each(['a pause', 'a stop', 'a new engine'])(
  '%s while a mend waits trains nothing again and forgets no crash',
  async how => {
    const counter = join(await temporaryFolder(), 'runs');
    const night = await reviewNight({ trainer: crashing(counter), experiments: 2 });
    const { study } = night;
    let { desk } = night;
    await night.waiting();
    const mend = desk.waitForNext(isReviewing);
    await night.decide(APPROVE);
    await mend;
    const before = await desk.calls.studies.review({ study, n: 1 });
    expect(before).toMatchObject({ isRepair: true });
    if (how === 'a pause') {
      await desk.calls.studies.request({ study, kind: 'pause' });
      await desk.waitFor(isCard(({ state }) => state === 'paused'));
      const again = desk.waitForNext(isReviewing);
      await desk.calls.studies.request({ study, kind: 'continue' });
      await again;
    } else {
      if (how === 'a stop') {
        await desk.calls.studies.request({ study, kind: 'stop' });
        await untilStopped(desk, study);
      } else {
        await desk.close();
        desk = await openDesk({ home: night.home });
      }
      const again = desk.waitForNext(isReviewing);
      await desk.calls.studies.resume({ study });
      await again;
    }
    expect(await desk.calls.studies.review({ study, n: 1 })).toEqual(before);
    // The baseline and the crash.
    expect(await readFile(counter, 'utf8')).toBe('run\nrun\n');
    const next = desk.waitForNext(isCard(({ current }) => current?.n === 2 && current.phase === 'reviewing'));
    await desk.calls.studies.decide({
      ...{ study, review: before?.id ?? 0 },
      decision: { kind: 'reject', reason: 'Not worth it.' },
    });
    await next;
    expect(rowsOf(night.home).experiments[1]).toMatchObject({ phase: 'recorded', verdict: 'crash' });
    expect(await readFile(counter, 'utf8')).toBe('run\nrun\n');
    await desk.close();
    await checkNight(night);
  },
);

test('remarks on an idea do not go with the mend of another', async () => {
  const counter = join(await temporaryFolder(), 'runs');
  const night = await reviewNight({ trainer: crashing(counter) });
  const { desk, study } = night;
  await night.waiting();
  await night.untilNext(() => night.decide({ kind: 'send_back', text: 'Smaller steps.', comments: [] }));
  await desk.calls.studies.setApproval({ study, asks: false });
  await night.untilStopped();
  const asked = await night.asked();
  expect(asked.map(({ kind }) => kind)).toEqual(['propose', 'propose', 'repair']);
  expect(asked.map(({ review }) => review !== null)).toEqual([false, true, false]);
  // The mend ran without anybody's word.
  expect(await desk.calls.experiments.get({ study, n: 1 })).toMatchObject({ reviewed: null });
  await night.end();
});
