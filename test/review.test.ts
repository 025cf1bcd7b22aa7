import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { eventSchema } from '../src/shared/events.ts';
import type { NotebookEvent, StudyCard } from '../src/shared/notebook.ts';
import type { Decision, ReviewView } from '../src/shared/review.ts';
import { slowness } from './support/clock.ts';
import { bodyOf, modelNight, proposal } from './support/model-night.ts';
import { pawl } from './support/pawl.ts';
import { contractFile, git, temporaryFolder } from './support/scaffold.ts';
import { type Desk, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { checkNight, type Night, prepareNight, rowsOf, TAG } from './support/study.ts';

type ReviewNight = Night & {
  readonly study: string;
  readonly desk: Desk;
  /** What the proposer was told, one request after the other. */
  asked(): Promise<readonly Record<string, unknown>[]>;
  /** The proposal that waits, once it does. */
  waiting(): Promise<ReviewView>;
  decide(decision: Decision): Promise<void>;
};

const APPROVE: Decision = { kind: 'approve', files: {} };

const isCard = (accepts: (card: StudyCard) => boolean) => (event: NotebookEvent) =>
  event.type === 'study' && accepts(event.card);
const isReviewing = isCard(({ state, current }) => state === 'running' && current?.phase === 'reviewing');

/** A study in approve mode whose proposer sets LR to 3, 4, 5, one more with each time it is asked. */
async function reviewNight(options: { experiments?: number; trainer?: string } = {}): Promise<ReviewNight> {
  const night = await prepareNight(options.trainer === undefined ? {} : { trainer: options.trainer });
  const asked = join(await temporaryFolder(), 'asked');
  const command = `cat >> ${asked}; echo >> ${asked}; n=$(($(wc -l < ${asked}) + 2))
    sed -i "s/^LR=.*/LR=$n/" train.sh; echo "{\\"hypothesis\\": \\"Set LR to $n\\"}"`;
  const desk = await openDesk({ home: night.home });
  const card = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG, asksApproval: true },
    proposer: { kind: 'command', command, timeoutSeconds: 60 },
    stop: { experiments: options.experiments ?? 1 },
  });
  const study = card.id;
  const waiting = async () => {
    const event = await desk.waitFor(isReviewing);
    const current = desk.service.card(study).current ?? (event as { card: StudyCard }).card.current;
    const review = await desk.calls.studies.review({ study, n: current?.n ?? 0 });
    if (!review) throw new Error('no proposal waits');
    return review;
  };
  return {
    ...{ ...night, study, desk, waiting },
    async asked() {
      const lines = (await readFile(asked, 'utf8')).trim().split('\n');
      return lines.map(line => JSON.parse(line));
    },
    async decide(decision) {
      const review = await waiting();
      await desk.calls.studies.decide({ study, review: review.id, decision });
    },
  };
}

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
  expect(await untilStopped(desk, study)).toMatchObject({
    stopReason: 'experiments',
    tally: { finished: 2 },
  });
  expect(await desk.calls.experiments.get({ study, n: 1 })).toMatchObject({ reviewed: 'approved' });
  expect(await git(night.repository, 'show', `refs/pawl/${TAG}/1:train.sh`)).toContain('LR=3');
  expect(await night.asked()).toHaveLength(1);
  expect(
    await refusalOf(desk.calls.studies.decide({ study, review: review.id, decision: APPROVE })),
  ).toMatchObject({
    code: 'usage',
  });
  await desk.close();
  await checkNight(night);
});

test('what the user changed in it is what runs', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { files, id } = await night.waiting();
  const text = files[0]?.text.replace('LR=3', 'LR=7') ?? '';
  // Changed back to what the incumbent has, nothing is left to try; it goes on waiting.
  const nothing: Decision = { kind: 'approve', files: { 'train.sh': text.replace('LR=7', 'LR=2') } };
  expect((await refusalOf(desk.calls.studies.decide({ study, review: id, decision: nothing }))).message).toBe(
    'The edit changes nothing.',
  );
  const foreign: Decision = { kind: 'approve', files: { 'train.sh': text, 'pawl.toml': 'x' } };
  expect(
    (await refusalOf(desk.calls.studies.decide({ study, review: id, decision: foreign }))).message,
  ).toContain('pawl.toml is not part of the proposal.');
  await night.decide({ kind: 'approve', files: { 'train.sh': text } });
  await untilStopped(desk, study);
  expect(await git(night.repository, 'show', `refs/pawl/${TAG}/1:train.sh`)).toContain('LR=7');
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
  await desk.close();
  await checkNight(night);
});

test('what the user changed besides the constants is told as well, and the cell says who changed it', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { files } = await night.waiting();
  await night.decide({ kind: 'approve', files: { 'train.sh': `# shorter warm-up\n${files[0]?.text}` } });
  await untilStopped(desk, study);
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
  const { files } = await night.waiting();
  const text = files[0]?.text.replace('LR=3', 'LR=7') ?? '';
  await night.decide({ kind: 'approve', files: { 'train.sh': text }, title: 'A bolder rate' });
  await untilStopped(night.desk, night.study);
  const { proposal } = night.desk.service.ledger.experiments.get(night.study, 1) ?? {};
  expect(proposal).toMatchObject({ hypothesis: 'A bolder rate' });
  expect(night.desk.service.ledger.cells.get(night.study, 1)).toMatchObject({ isEdited: true });
  await night.desk.close();
});

test('remarks go back to the proposer with what it had proposed', async () => {
  const night = await reviewNight();
  const { desk, study, decide } = night;
  const first = await night.waiting();
  const again = desk.waitForNext(isReviewing);
  await decide({
    kind: 'send_back',
    text: 'Smaller steps.',
    comments: [{ path: 'train.sh', side: 'new', line: 1, text: 'Not this far.' }],
  });
  await again;
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
  expect(await untilStopped(desk, study)).toMatchObject({ tally: { finished: 2, crash: 0 } });
  const { refusals } = await desk.calls.studies.marks({ study });
  expect(refusals).toMatchObject([{ n: 1, reason: 'sent_back', hypothesis: 'Set LR to 3' }]);
  await desk.close();
  await checkNight(night);
});

test('what was rejected is remembered, however often, and ends no study', async () => {
  const night = await reviewNight();
  const { desk, study, decide } = night;
  for (let turn = 0; turn < 7; turn += 1) {
    await night.waiting();
    const again = desk.waitForNext(isReviewing);
    await decide({ kind: 'reject', reason: `Not this one, ${turn}.` });
    await again;
  }
  await decide(APPROVE);
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  const last = (await night.asked()).at(-1);
  expect(last?.refused).toHaveLength(7);
  expect(last?.refused).toContainEqual({
    ...{ reason: 'rejected', message: 'Not this one, 0.', hypothesis: 'Set LR to 3' },
  });
  await desk.close();
  await checkNight(night);
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
  expect(await untilStopped(desk, study)).toMatchObject({ tally: { finished: 4 }, asksApproval: false });
  expect(await desk.calls.experiments.get({ study, n: 1 })).toMatchObject({ reviewed: 'auto' });
  expect(await desk.calls.experiments.get({ study, n: 2 })).toMatchObject({ reviewed: null });
  await desk.calls.studies.setApproval({ study, asks: true });
  const { marks } = await desk.calls.studies.marks({ study });
  expect(marks.filter(({ kind }) => kind === 'approval').map(({ text }) => text)).toEqual(['off', 'on']);
  const again = desk.waitForNext(isReviewing);
  await desk.calls.studies.resume({ study, stop: { experiments: 4 } });
  await again;
  await night.decide(APPROVE);
  await untilStopped(desk, study);
  await desk.close();
  await checkNight(night);
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
  const again = desk.waitForNext(isReviewing);
  await desk.calls.studies.request({ study, kind: 'continue' });
  await again;
  await desk.calls.studies.request({ study, kind: 'stop' });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'user', tally: { finished: 1 } });
  expect(await desk.calls.studies.review({ study, n: 1 })).toMatchObject({ id });
  await desk.close();
  await checkNight(night);
});

test('the deadline ends the wait', async () => {
  const night = await prepareNight();
  const desk = await openDesk({ home: night.home });
  const { id: study } = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG, asksApproval: true, proposer: { kind: 'search', seed: 1 } },
    stop: { deadline: new Date(Date.now() + 2_000 * slowness()).toISOString() },
  });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'deadline' });
  await desk.close();
  await checkNight(night);
});

test('a mend of a crash waits as well; rejected, the crash stands', async () => {
  const trainer = `LR=2
    [ $LR -gt 2 ] && [ $LR -lt 5 ] && { echo "Traceback"; exit 1; }
    echo "val_bpb: $LR"`;
  const night = await reviewNight({ trainer, experiments: 2 });
  const { desk, study, decide } = night;
  await night.waiting();
  const mend = desk.waitForNext(isReviewing);
  await decide(APPROVE);
  await mend;
  const review = await night.waiting();
  expect(review).toMatchObject({ n: 1, isRepair: true, proposal: { hypothesis: 'Set LR to 4' } });
  expect(review.diff).toContain('-LR=3');
  const next = desk.waitForNext(isReviewing);
  await decide({ kind: 'reject', reason: 'Not worth it.' });
  await next;
  expect(rowsOf(night.home).experiments[1]).toMatchObject({ phase: 'recorded', verdict: 'crash' });
  expect(await night.waiting()).toMatchObject({ n: 2, isRepair: false });
  await decide(APPROVE);
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  await desk.close();
  await checkNight(night);
});

test('nothing but the files of the proposal can be changed with it', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id, files } = await night.waiting();
  const text = files[0]?.text.replace('LR=3', 'LR=7') ?? '';
  for (const path of ['nope/../../../escaped.txt', 'a\0b', 'new/', '.', '..', 'pawl.toml', 'other.sh']) {
    const decision: Decision = {
      kind: 'approve',
      files: Object.fromEntries([
        ['train.sh', text],
        [path, 'owned'],
      ]),
    };
    expect((await refusalOf(desk.calls.studies.decide({ study, review: id, decision }))).code).toBe('usage');
  }
  expect(await readdir(night.home)).not.toContain('escaped.txt');
  await night.decide(APPROVE);
  await untilStopped(desk, study);
  await desk.close();
  await checkNight(night);
});

test('an edit is taken whatever git is told of diffs', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  await git(night.repository, 'config', 'diff.context', '0');
  await git(night.repository, 'config', 'diff.noprefix', 'true');
  const { files } = await night.waiting();
  await night.decide({
    kind: 'approve',
    files: { 'train.sh': files[0]?.text.replace('LR=3', 'LR=7') ?? '' },
  });
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'experiments' });
  expect(await git(night.repository, 'show', `refs/pawl/${TAG}/1:train.sh`)).toContain('LR=7');
});

/** Crashes with a rate of 3 or 4, and counts its runs. */
const crashing = (counter: string) => `LR=2
  echo run >> ${counter}
  [ $LR -gt 2 ] && [ $LR -lt 5 ] && { echo "Traceback"; exit 1; }
  echo "val_bpb: $LR"`;

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

test('a decision that could not be written down is asked for again, with nothing lost', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { files, id } = await night.waiting();
  const database = new BetterSqlite3(join(night.home, 'pawl.sqlite'));
  database.exec(`CREATE TRIGGER broken BEFORE UPDATE OF attempt_commit ON experiment WHEN NEW.n = 1
    AND NEW.attempt_commit IS NOT NULL BEGIN SELECT RAISE(ABORT, 'broken'); END`);
  const edited: Decision = {
    kind: 'approve',
    files: { 'train.sh': files[0]?.text.replace('LR=3', 'LR=7') ?? '' },
  };
  await expect(desk.calls.studies.decide({ study, review: id, decision: edited })).rejects.toThrow();
  expect(await untilStopped(desk, study)).toMatchObject({ stopReason: 'error' });
  desk.errors.length = 0;
  database.exec('DROP TRIGGER broken');
  database.close();
  const again = desk.waitForNext(isReviewing);
  await desk.calls.studies.resume({ study });
  await again;
  await desk.calls.studies.decide({ study, review: id, decision: edited });
  await untilStopped(desk, study);
  expect(await git(night.repository, 'show', `refs/pawl/${TAG}/1:train.sh`)).toContain('LR=7');
  expect(await night.asked()).toHaveLength(1);
  await desk.close();
  await checkNight(night);
});

test('remarks on an idea do not go with the mend of another', async () => {
  const counter = join(await temporaryFolder(), 'runs');
  const night = await reviewNight({ trainer: crashing(counter) });
  const { desk, study } = night;
  await night.waiting();
  const again = desk.waitForNext(isReviewing);
  await night.decide({ kind: 'send_back', text: 'Smaller steps.', comments: [] });
  await again;
  await desk.calls.studies.setApproval({ study, asks: false });
  await untilStopped(desk, study);
  const asked = await night.asked();
  expect(asked.map(({ kind }) => kind)).toEqual(['propose', 'propose', 'repair']);
  expect(asked.map(({ review }) => review !== null)).toEqual([false, true, false]);
  // The mend ran without anybody's word.
  expect(await desk.calls.experiments.get({ study, n: 1 })).toMatchObject({ reviewed: null });
  await desk.close();
  await checkNight(night);
});

test('a proposal can be read while the study is stopped, and the card names it', async () => {
  const night = await reviewNight();
  const { desk, study } = night;
  const { id } = await night.waiting();
  expect(desk.service.card(study)).toMatchObject({ waiting: { n: 1, review: id } });
  await desk.calls.studies.request({ study, kind: 'stop' });
  expect(await untilStopped(desk, study)).toMatchObject({ current: null, waiting: { n: 1, review: id } });
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
