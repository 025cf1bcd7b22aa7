import { expect, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import type { SetAsideReason } from '../src/engine/session/loop/loop-state.ts';
import { interruptUnfinished } from '../src/engine/session/start/reconcile.ts';
import { setAside } from '../src/engine/session/stopped-effects.ts';
import type { StageContext } from '../src/engine/stages/stage-context.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import type { EngineEventBody } from '../src/shared/events.ts';
import { pawl } from './support/pawl.ts';
import { plainStudy } from './support/plain-study.ts';
import { temporaryFolder } from './support/scaffold.ts';

/** Experiments that wait for their study to go on, and why. */

/** A study with one attempt about to train. */
async function studyWithAttempt() {
  const home = await temporaryFolder();
  const ledger = openLedger(dataPaths({ ...process.env, PAWL_HOME: home }).ledger);
  const study = plainStudy();
  ledger.write(() => {
    ledger.studies.insert(study);
    ledger.experiments.begin('s1', 0, { commit: study.baseCommit }, 1);
    ledger.experiments.attempt('s1', 0, { commit: study.baseCommit, editDigest: '', sourceLines: 1 });
  });
  const told: EngineEventBody[] = [];
  const enter: StageContext['enter'] = work => {
    told.push(...ledger.write(() => work(() => {})));
    return () => {};
  };
  const putAside = (reason: SetAsideReason) =>
    setAside({ ledger, study, enter, now: () => 2 } as StageContext, {
      ...{ type: 'set_aside', n: 0, ended: null, reason },
    });
  return { home, ledger, told, putAside };
}

test.each(['put_off', 'unanswered', 'spent', 'refused'] as const)(
  'an experiment that was put off (%s) is not called interrupted, and says why it waits',
  async kind => {
    const { home, ledger, told, putAside } = await studyWithAttempt();
    putAside({ kind, message: 'The queue is full' });
    expect(told[0]).toMatchObject({ type: 'put_off', n: 0 });
    // A later engine leaves it as it is.
    ledger.write(() => interruptUnfinished(ledger, 3));
    expect(ledger.cells.get('s1', 0)).toMatchObject({
      ...{ phase: 'put_off', whyWaiting: expect.stringMatching(/^The queue is full\. It /) },
    });
    ledger.close();
    const status = await pawl(['status', '--tag', 'night'], { home });
    expect(status.stdout).toMatch(/^#0 put off: .*\n +The queue is full\./m);
    const show = await pawl(['show', '0', '--tag', 'night'], { home });
    expect(show.stdout).toMatch(/^phase +put off\nwaits +The queue is full\./m);
  },
);

test('an interrupted experiment says whether the user or the end of the engine interrupted it', async () => {
  const { ledger, told, putAside } = await studyWithAttempt();
  putAside({ kind: 'stopped' });
  expect(told).toMatchObject([{ type: 'interrupted', n: 0 }]);
  const waiting = () => ledger.cells.get('s1', 0);
  expect(waiting()).toMatchObject({
    phase: 'interrupted',
    whyWaiting: expect.stringMatching(/^Stopped by the user/),
  });
  ledger.write(() => ledger.experiments.setPhase('s1', 0, 'training'));
  expect(waiting()).toMatchObject({ phase: 'training', whyWaiting: null });
  ledger.write(() => interruptUnfinished(ledger, 3));
  expect(waiting()).toMatchObject({
    phase: 'interrupted',
    whyWaiting: expect.stringMatching(/engine ended/),
  });
  ledger.close();
});
