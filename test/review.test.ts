import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { eventSchema } from '../src/shared/events.ts';
import type { Decision } from '../src/shared/review.ts';
import { bodyOf, modelNight, proposal } from './support/model-night.ts';
import { pawl } from './support/pawl.ts';
import { APPROVE, isCard, isReviewing, reviewNight } from './support/review-night.ts';
import { contractFile, git } from './support/scaffold.ts';
import { isTraining, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { checkNight, prepareNight, rowsOf, TAG } from './support/study.ts';

test('a proposal waits for the user, and runs as it was when they approve', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const review = await night.waiting();
  expect(review).toMatchObject({
    ...{ n: 1, isRepair: false, isCut: false },
    proposal: { hypothesis: 'Set LR to 3', rationale: null },
    files: [{ path: 'train.sh', text: expect.stringContaining('LR=3\n') }],
  });
  expect(review.diff).toContain('+LR=3');
  expect(rowsOf(night.home).experiments[1]).toMatchObject({ phase: 'reviewing', attempt_commit: null });
  expect(desk.events).toContainEqual(
    expect.objectContaining({
      type: 'notice',
      notice: expect.objectContaining({ kind: 'attention', n: 1, body: 'Set LR to 3' }),
    }),
  );
  await night.decide(APPROVE);
  expect(await night.untilStopped()).toMatchObject({
    stopReason: 'experiments',
    tally: { finished: 2 },
  });
  expect(await desk.calls.experiments.get({ study, n: 1 })).toMatchObject({ reviewed: 'approved' });
  expect(await night.tried()).toContain('LR=3');
  expect(await night.asked()).toHaveLength(1);
  const again = desk.calls.studies.decide({ study, review: review.id, decision: APPROVE });
  expect(await refusalOf(again)).toMatchObject({ code: 'usage' });
  await night.end();
});

test('what the user changed in it is what runs', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id } = await night.waiting();
  const text = await night.withRate(7);
  // Changed back to what the incumbent has, nothing is left to try; it goes on waiting.
  const approving = async (files: Readonly<Record<string, string>>) =>
    await refusalOf(desk.calls.studies.decide({ study, review: id, decision: { kind: 'approve', files } }));
  expect((await approving({ 'train.sh': await night.withRate(2) })).message).toBe(
    'The edit changes nothing.',
  );
  expect((await approving({ 'train.sh': text, 'pawl.toml': 'x' })).message).toContain(
    'pawl.toml is not part of the proposal.',
  );
  await night.decide({ kind: 'approve', files: { 'train.sh': text } });
  await night.untilStopped();
  expect(await night.tried()).toContain('LR=7');
  const edited = await desk.calls.experiments.get({ study, n: 1 });
  expect(edited).toMatchObject({ reviewed: 'edited' });
  // The title, the reason and the constants are those of what ran, wherever it is told.
  const { proposal } = desk.service.ledger.experiments.get(study, 1) ?? {};
  expect(proposal).toMatchObject({
    hypothesis: 'LR from 2 to 7, as edited by you',
    rationale: expect.stringMatching(/^You edited the proposal "Set LR to 3" before it ran\./),
    predictedEffect: null,
    memo: { turns: [{ name: 'LR', from: '2', to: '7', direction: 'up', file: 'train.sh' }] },
  });
  expect((await git(night.repository, 'log', '-1', '--format=%s', `refs/pawl/${TAG}/1`)).trim()).toBe(
    'LR from 2 to 7, as edited by you',
  );
  await night.end();
});

test('what the user changed besides the constants is told as well, and the cell says who changed it', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { files } = await night.waiting();
  await night.decide({ kind: 'approve', files: { 'train.sh': `# shorter warm-up\n${files[0]?.text}` } });
  await night.untilStopped();
  const { cell } = await desk.calls.experiments.get({ study, n: 1 });
  expect(cell).toMatchObject({
    hypothesis: 'LR from 2 to 3, more in train.sh, as edited by you',
    isEdited: true,
  });
  const { diff } = await desk.calls.experiments.diff({ study, n: 1 });
  expect(diff).toContain('+# shorter warm-up');
  expect((await desk.calls.experiments.get({ study, n: 0 })).cell.isEdited).toBe(false);
  await desk.close();
});

test('an edited proposal has the title its editor gives it', async () => {
  const night = await reviewNight();
  const files = { 'train.sh': await night.withRate(7) };
  await night.decide({ kind: 'approve', files, title: 'A bolder rate' });
  await night.untilStopped();
  const { proposal } = night.desk.service.ledger.experiments.get(night.study, 1) ?? {};
  expect(proposal).toMatchObject({ hypothesis: 'A bolder rate' });
  expect(night.desk.service.ledger.cells.get(night.study, 1)).toMatchObject({ isEdited: true });
  await night.desk.close();
});

test('remarks go back to the proposer with what it had proposed', async () => {
  const night = await reviewNight();
  const { desk, study, decide } = night;
  const first = await night.waiting();
  await night.untilNext(() =>
    decide({
      kind: 'send_back',
      text: 'Smaller steps.',
      comments: [{ path: 'train.sh', side: 'new', line: 1, text: 'Not this far.' }],
    }),
  );
  const second = await night.waiting();
  expect(second).toMatchObject({ n: 1, proposal: { hypothesis: 'Set LR to 4' } });
  expect(second.id).not.toBe(first.id);
  expect((await night.asked())[1]).toMatchObject({
    experiment: 1,
    review: {
      hypothesis: 'Set LR to 3',
      diff: expect.stringContaining('+LR=3'),
      remarks: 'Smaller steps.\ntrain.sh, line 1: Not this far.',
    },
  });
  await decide(APPROVE);
  expect(await night.untilStopped()).toMatchObject({ tally: { finished: 2, crash: 0 } });
  const { refusals } = await desk.calls.studies.marks({ study });
  expect(refusals).toMatchObject([{ n: 1, reason: 'sent_back', hypothesis: 'Set LR to 3' }]);
  await night.end();
});

test('what was rejected is remembered, however often, and ends no study', async () => {
  const night = await reviewNight();
  const { decide } = night;
  for (let turn = 0; turn < 7; turn += 1) {
    await night.waiting();
    await night.untilNext(() => decide({ kind: 'reject', reason: `Not this one, ${turn}.` }));
  }
  await decide(APPROVE);
  expect(await night.untilStopped()).toMatchObject({ stopReason: 'experiments' });
  const last = (await night.asked()).at(-1);
  expect(last?.refused).toHaveLength(7);
  expect(last?.refused).toContainEqual({
    ...{ reason: 'rejected', message: 'Not this one, 0.', hypothesis: 'Set LR to 3' },
  });
  await night.end();
});

test('what waits outlives the engine, and is not asked for again', async () => {
  const night = await reviewNight();
  const first = await night.waiting();
  await night.desk.close();
  expect(rowsOf(night.home).experiments[1]).toMatchObject({ phase: 'reviewing' });
  // Only the ref holds the commit now.
  await git(night.repository, 'gc', '--prune=now', '--quiet');
  const terminal = await pawl(['resume', night.repository], { home: night.home });
  expect(terminal.code).toBe(2);
  expect(terminal.stderr).toContain('each proposal waits for your approval');
  const desk = await openDesk({ home: night.home });
  const { study } = night;
  await desk.calls.studies.resume({ study });
  await desk.waitFor(isReviewing);
  expect(await desk.calls.studies.review({ study, n: 1 })).toEqual(first);
  await desk.calls.studies.decide({ study, review: first.id, decision: APPROVE });
  await untilStopped(desk, study);
  expect(await night.asked()).toHaveLength(1);
  await desk.close();
  await checkNight(night);
});

test('with --auto the terminal goes on where a proposal waits', async () => {
  const night = await reviewNight();
  await night.waiting();
  await night.desk.close();
  const { code } = await pawl(['resume', night.repository, '--auto'], { home: night.home });
  expect(code).toBe(0);
  expect(await night.asked()).toHaveLength(1);
  await checkNight(night);
});

test('auto is one switch away, and back', async () => {
  const night = await reviewNight({ experiments: 3 });
  const { desk, study } = night;
  await night.waiting();
  await desk.calls.studies.setApproval({ study, asks: false });
  expect(await night.untilStopped()).toMatchObject({ tally: { finished: 4 }, asksApproval: false });
  expect(await desk.calls.experiments.get({ study, n: 1 })).toMatchObject({ reviewed: 'auto' });
  expect(await desk.calls.experiments.get({ study, n: 2 })).toMatchObject({ reviewed: null });
  await desk.calls.studies.setApproval({ study, asks: true });
  const { marks } = await desk.calls.studies.marks({ study });
  expect(marks.filter(({ kind }) => kind === 'approval').map(({ text }) => text)).toEqual(['off', 'on']);
  await night.untilNext(() => desk.calls.studies.resume({ study, stop: { experiments: 4 } }));
  await night.decide(APPROVE);
  await night.untilStopped();
  await night.end();
});

test('a pause and a stop come through while a proposal waits', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id } = await night.waiting();
  await desk.calls.studies.request({ study, kind: 'pause' });
  await desk.waitFor(isCard(({ state }) => state === 'paused'));
  expect(await refusalOf(desk.calls.studies.decide({ study, review: id, decision: APPROVE }))).toMatchObject({
    code: 'usage',
  });
  await night.untilNext(() => desk.calls.studies.request({ study, kind: 'continue' }));
  await desk.calls.studies.request({ study, kind: 'stop' });
  expect(await night.untilStopped()).toMatchObject({ stopReason: 'user', tally: { finished: 1 } });
  expect(await desk.calls.studies.review({ study, n: 1 })).toMatchObject({ id });
  await night.end();
});

test('the deadline ends the wait', async () => {
  const night = await prepareNight();
  const began = Date.now();
  let passedMs = 0;
  const desk = await openDesk({ home: night.home, now: () => began + passedMs });
  const { id: study } = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG, asksApproval: true, proposer: { kind: 'search', seed: 1 } },
    stop: { deadline: new Date(began + 60_000).toISOString() },
  });
  await desk.waitFor(isTraining(0));
  // It is not over before something waits; then what looks at the clock does so soon.
  passedMs = 59_900;
  await desk.waitFor(isReviewing);
  passedMs = 60_000;
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'deadline' });
  await desk.close();
  await checkNight(night);
});

test('nothing but the files of the proposal can be changed with it', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id } = await night.waiting();
  const text = await night.withRate(7);
  for (const path of ['nope/../../../escaped.txt', 'a\0b', 'new/', '.', '..', 'pawl.toml', 'other.sh']) {
    const decision: Decision = { kind: 'approve', files: { 'train.sh': text, [path]: 'owned' } };
    expect((await refusalOf(desk.calls.studies.decide({ study, review: id, decision }))).code).toBe('usage');
  }
  expect(await readdir(night.home)).not.toContain('escaped.txt');
  await night.decide(APPROVE);
  await night.untilStopped();
  await night.end();
});

test('an edit is taken whatever git is told of diffs', async () => {
  const night = await reviewNight();
  await git(night.repository, 'config', 'diff.context', '0');
  await git(night.repository, 'config', 'diff.noprefix', 'true');
  await night.decide({ kind: 'approve', files: { 'train.sh': await night.withRate(7) } });
  expect(await night.untilStopped()).toMatchObject({ stopReason: 'experiments' });
  expect(await night.tried()).toContain('LR=7');
});

test('a decision that could not be written down is asked for again, with nothing lost', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id } = await night.waiting();
  const database = new BetterSqlite3(join(night.home, 'pawl.sqlite'));
  database.exec(`CREATE TRIGGER broken BEFORE UPDATE OF attempt_commit ON experiment WHEN NEW.n = 1
    AND NEW.attempt_commit IS NOT NULL BEGIN SELECT RAISE(ABORT, 'broken'); END`);
  const edited: Decision = { kind: 'approve', files: { 'train.sh': await night.withRate(7) } };
  await expect(desk.calls.studies.decide({ study, review: id, decision: edited })).rejects.toThrow();
  expect(await night.untilStopped()).toMatchObject({ stopReason: 'error' });
  desk.errors.length = 0;
  database.exec('DROP TRIGGER broken');
  database.close();
  await night.untilNext(() => desk.calls.studies.resume({ study }));
  await desk.calls.studies.decide({ study, review: id, decision: edited });
  await night.untilStopped();
  expect(await night.tried()).toContain('LR=7');
  expect(await night.asked()).toHaveLength(1);
  await night.end();
});

test('a proposal can be read while the study is stopped, and the card names it', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id } = await night.waiting();
  expect(desk.service.card(study)).toMatchObject({ waiting: { n: 1, review: id } });
  await desk.calls.studies.request({ study, kind: 'stop' });
  expect(await night.untilStopped()).toMatchObject({ current: null, waiting: { n: 1, review: id } });
  expect(await desk.calls.studies.review({ study, n: 1 })).toMatchObject({ id });
  await desk.close();
});

test('a model is told what was sent back and what was rejected', async () => {
  const night = await modelNight(
    (_, index) => proposal('LR=2', `LR=${index + 3}`, { hypothesis: `Idea ${index}`, differs: 'Yes.' }),
    { experiments: 1 },
  );
  night.engine.setApproval(night.studyId, true);
  const ended = night.run();
  const decisions: Decision[] = [
    {
      kind: 'send_back',
      text: '',
      comments: [{ path: 'train.sh', side: 'old', line: 1, text: 'Why here?' }],
    },
    { kind: 'reject', reason: 'No rates at all.' },
    APPROVE,
  ];
  for (const [turn, decision] of decisions.entries()) {
    await night.untilCount('review_opened', turn + 1);
    const review = night.engine.ledger.reviews.open(night.studyId, 1);
    await night.engine.decide(night.studyId, review?.id ?? 0, decision);
  }
  expect(await ended).toBe('experiments');
  // Nothing is in an event that its schema does not name.
  expect(night.events.map(event => eventSchema.parse(event))).toEqual(night.events);
  const told = night.server.requests.map(request => JSON.stringify(bodyOf(request).messages));
  expect(told[1]).toContain('sends it back');
  expect(told[1]).toContain('train.sh, old line 1: Why here?');
  expect(told[1]).toContain('+LR=3');
  expect(told[2]).not.toContain('sends it back');
  expect(told[2]).toContain('- Idea 1: No rates at all.');
  await checkNight(night);
});

test('an edit that gives a reason to look closer waits although nobody asked to approve, and no other does', async () => {
  const night = await prepareNight({
    contract: contractFile({ more: '[audit]\napprove_hints = true' }),
  });
  const command = `read -r request; n=\${request#*\\"experiment\\":}
    if [ "\${n%%,*}" = 1 ]; then echo '# SEED=7' >> train.sh; else sed -i "s/^LR=.*/LR=3/" train.sh; fi
    echo '{"hypothesis": "An edit"}'`;
  const desk = await openDesk({ home: night.home });
  const { id: study } = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG, stop: { experiments: 2 } },
    proposer: { kind: 'command', command, timeoutSeconds: 60 },
  });
  await desk.waitFor(isReviewing);
  const review = await desk.calls.studies.review({ study, n: 1 });
  expect(review).toMatchObject({ n: 1, hints: ['seed'] });
  expect(desk.events).toContainEqual(
    expect.objectContaining({
      notice: expect.objectContaining({ body: 'An edit. Look closer: the edit changes a seed.' }),
    }),
  );
  await desk.calls.studies.decide({ study, review: review?.id ?? 0, decision: APPROVE });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  const reviewed = [1, 2].map(async n => (await desk.calls.experiments.get({ study, n })).reviewed);
  expect(await Promise.all(reviewed)).toEqual(['approved', null]);
  await desk.close();
  await checkNight(night);
});
