import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NotebookEvent, StudyCard } from '../src/shared/notebook.ts';
import { bodyOf, lastText, modelNight, proposal } from './support/model-night.ts';
import { pawl, RunningPawl, sitting } from './support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from './support/scaffold.ts';
import { type Desk, openDesk, untilStopped } from './support/service.ts';
import { checkNight, dyingAt, prepareNight, rowsOf, TAG } from './support/study.ts';
import { trainingDesk } from './support/training-desk.ts';

const replace = (old: string, text: string) => ({ path: 'train.sh', old, new: text });
const words = (hypothesis: string) => ({ hypothesis });
const cardWhere = (accepts: (card: StudyCard) => boolean) => (event: NotebookEvent) =>
  event.type === 'study' && accepts(event.card);

/** A study of the search whose baseline is done, with a window. */
async function stoppedDesk(): Promise<{
  desk: Desk;
  night: Awaited<ReturnType<typeof prepareNight>>;
  study: string;
}> {
  const night = await prepareNight();
  const desk = await openDesk({ home: night.home });
  const { id } = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG },
    proposer: { kind: 'search', seed: 1 },
    stop: { experiments: 0 },
  });
  await untilStopped(desk, id);
  return { desk, night, study: id };
}

async function goOn({ calls, ...desk }: Desk, study: string, experiments: number): Promise<void> {
  await calls.studies.resume({ study, stop: { experiments } });
  await untilStopped({ calls, ...desk }, study);
}

test('edits that wait go before the proposer, in their order, and each is merged with what came since', async () => {
  const { desk, night, study } = await stoppedDesk();
  const { ideas } = desk.calls;
  const add = (hypothesis: string, ...edits: ReturnType<typeof replace>[]) =>
    ideas.add({ study, words: { ...words(hypothesis), predicted_effect: -0.01 }, edits, again: null });
  await add('LR becomes 6', replace('LR=2', 'LR=6'));
  await add('WIDTH becomes 9', replace('WIDTH=16', 'WIDTH=9'));
  await add('LR becomes 3', replace('LR=2', 'LR=3'));
  const last = await add('DEPTH becomes 7', replace('DEPTH=4', 'DEPTH=7'));
  // What was typed wrong is said while somebody is there to mend it.
  await expect(add('no such line', replace('LR=5', 'LR=6'))).rejects.toThrow(/does not occur/);
  await expect(
    ideas.add({
      study,
      words: words('a locked file'),
      edits: [{ path: 'prepare.sh', content: 'x' }],
      again: null,
    }),
  ).rejects.toThrow(/editable/);
  const { diff, isCut } = await ideas.diff({ study, id: last.id });
  expect(isCut).toBe(false);
  expect(diff).toContain('diff --git a/train.sh b/train.sh\n');
  expect(diff.match(/^[-+].*$/gm)).toEqual(['--- a/train.sh', '+++ b/train.sh', '-DEPTH=4', '+DEPTH=7']);
  await ideas.order({ study, ids: [last.id] });
  const { waiting } = await ideas.list({ study });
  expect(waiting.map(({ hypothesis }) => hypothesis)).toEqual([
    ...['DEPTH becomes 7', 'LR becomes 6', 'WIDTH becomes 9', 'LR becomes 3'],
  ]);
  await goOn(desk, study, 4);
  const rows = rowsOf(night.home).experiments;
  expect(rows.slice(1, 4).map(({ hypothesis, verdict }) => [hypothesis, verdict])).toEqual([
    ['DEPTH becomes 7', 'keep'],
    ['LR becomes 6', 'keep'],
    ['WIDTH becomes 9', 'keep'],
  ]);
  const { ledger } = desk.service;
  expect([1, 2, 3, 4].map(n => ledger.proposerCalls.author(study, n))).toEqual([
    'you',
    'you',
    'you',
    'search by Gaussian process',
  ]);
  const { past, waiting: left } = await ideas.list({ study });
  expect(left).toEqual([]);
  // It was made on LR=2, and LR=6 was kept since.
  expect(past.find(({ hypothesis }) => hypothesis === 'LR becomes 3')).toMatchObject({
    ...{ state: 'refused', n: 4, message: expect.stringContaining('conflicts with what was kept since') },
  });
  expect(past.filter(({ state }) => state === 'taken').map(({ n }) => n)).toEqual([3, 2, 1]);
  await desk.close();
  await checkNight(night);
});

test('an idea can be said otherwise and dropped while it waits, and not after', async () => {
  const { desk, study } = await stoppedDesk();
  const { ideas } = desk.calls;
  const first = await ideas.add({
    study,
    words: words('one'),
    edits: [replace('LR=2', 'LR=6')],
    again: null,
  });
  const second = await ideas.add({ study, words: words('two'), edits: [], again: null });
  await ideas.say({
    study,
    id: first.id,
    words: { hypothesis: 'one, in better words', predicted_effect: -0.04 },
  });
  expect(await ideas.diff({ study, id: second.id })).toEqual({ diff: '', isCut: false });
  await expect(ideas.diff({ study, id: 999 })).rejects.toThrow(/no idea 999/);
  await ideas.drop({ study, id: second.id });
  await expect(ideas.drop({ study, id: second.id })).rejects.toThrow(/no longer waiting/);
  expect(desk.service.card(study).ideas).toMatchObject({ waiting: 1 });
  await goOn(desk, study, 1);
  expect(desk.service.ledger.experiments.get(study, 1)?.proposal).toMatchObject({
    ...{ hypothesis: 'one, in better words', predictedEffect: -0.04 },
  });
  await expect(ideas.say({ study, id: first.id, words: words('late') })).rejects.toThrow(/no longer waiting/);
});

test('a whole text that was begun before a keep is merged with it', async () => {
  const { desk, night, study } = await stoppedDesk();
  const { ideas } = desk.calls;
  const opened = await ideas.files({ study, n: null });
  expect(opened.n).toBe(0);
  await ideas.add({
    ...{ study, words: words('LR becomes 6'), edits: [replace('LR=2', 'LR=6')], again: null },
  });
  await goOn(desk, study, 1);
  const content = opened.files[0]?.text.replace('WIDTH=16', 'WIDTH=9') ?? '';
  await ideas.add({
    ...{ study, words: words('WIDTH becomes 9'), edits: [{ path: 'train.sh', content }], again: null },
    base: opened.n,
  });
  await goOn(desk, study, 2);
  const [, first, second] = rowsOf(night.home).experiments;
  expect([first?.verdict, second?.verdict]).toEqual(['keep', 'keep']);
  const { files } = await ideas.files({ study, n: 2 });
  expect(files[0]?.text).toBe(FAST_TRAINER.replace('LR=2', 'LR=6').replace('WIDTH=16', 'WIDTH=9'));
});

test('what was dropped can wait again, last', async () => {
  const { desk, study } = await stoppedDesk();
  const { ideas } = desk.calls;
  const first = await ideas.add({
    study,
    words: words('one'),
    edits: [replace('LR=2', 'LR=6')],
    again: null,
  });
  await ideas.add({ study, words: words('two'), edits: [], again: null });
  await ideas.drop({ study, id: first.id });
  await ideas.restore({ study, id: first.id });
  const { waiting, past } = await ideas.list({ study });
  expect(waiting.map(({ hypothesis, files }) => [hypothesis, files])).toEqual([
    ['two', []],
    ['one', ['train.sh']],
  ]);
  expect(past).toEqual([]);
  await expect(ideas.restore({ study, id: first.id })).rejects.toThrow(/was not dropped/);
});

test('an experiment is tried again on the incumbent of its turn, also with another edit on top', async () => {
  const { desk, night, study } = await stoppedDesk();
  const { ideas } = desk.calls;
  const add = (hypothesis: string, edits: ReturnType<typeof replace>[], again: number | null) =>
    ideas.add({ study, words: words(hypothesis), edits, again });
  await add('LR gets worse', [replace('LR=2', 'LR=1')], null);
  await add('DEPTH becomes 7', [replace('DEPTH=4', 'DEPTH=7')], null);
  await goOn(desk, study, 2);
  expect(await ideas.files({ study, n: 1 })).toEqual({
    ...{ n: 1, files: [{ path: 'train.sh', text: FAST_TRAINER.replace('LR=2', 'LR=1') }] },
  });
  await add('the same on the new incumbent', [], 1);
  await add('and with WIDTH', [replace('WIDTH=16', 'WIDTH=9')], 1);
  await goOn(desk, study, 4);
  const [, , , third, fourth] = rowsOf(night.home).experiments;
  expect([third?.metric, fourth?.metric]).toEqual([1.0718, 1.0711]);
  await expect(add('nothing there', [], 99)).rejects.toThrow(/no edit to try again/);
});

test('what is refused from the queue says nothing of the proposer', async () => {
  const { desk, night, study } = await stoppedDesk();
  const { ideas } = desk.calls;
  for (let count = 0; count < 8; count += 1) {
    await ideas.add({
      study,
      words: words(`the same, ${count}`),
      edits: [replace('LR=2', 'LR=1')],
      again: null,
    });
  }
  const proposer = { kind: 'command', command: 'exit 1', timeoutSeconds: 5 } as const;
  await desk.calls.studies.resume({ study, stop: { experiments: 3 }, proposer });
  await untilStopped(desk, study);
  // Seven were tried already: no count against the command, which then fails five times by itself.
  const refused = desk.service.ledger.refusals.list(study).map(({ reason }) => reason);
  expect(refused).toEqual([...Array(7).fill('duplicate'), ...Array(5).fill('proposer_failed')]);
  expect(desk.service.card(study).stopReason).toBe('proposer');
  expect(rowsOf(night.home).experiments[1]?.verdict).toBe('discard');
});

test('words are handed to a proposer that can read, and its own further ideas wait', async () => {
  const night = await modelNight(
    (_, index) =>
      index === 0
        ? proposal('LR=2', 'LR=8', { ideas: [{ hypothesis: 'Try a wider net', predicted_effect: -0.002 }] })
        : proposal('WIDTH=16', 'WIDTH=8', { differs: 'Yes.', idea: 2 }),
    { experiments: 2 },
  );
  const { ledger } = night.engine;
  ledger.write(() =>
    ledger.ideas.add(night.studyId, {
      ...{ author: 'you', hypothesis: 'Raise the learning rate', rationale: 'It is low.', at: 1 },
      ...{ predictedEffect: -0.06, category: null, edit: null },
    }),
  );
  await night.run();
  const [first, second] = night.server.requests;
  expect(JSON.stringify(bodyOf(first))).toContain('To be done now');
  expect(lastText(first)).toContain('- idea 1 (expected: -0.06): Raise the learning rate. It is low.');
  expect(JSON.stringify(bodyOf(second))).not.toContain('To be done now');
  expect(lastText(second)).toContain('- idea 2 (expected: -0.002): Try a wider net');
  expect(
    ledger.ideas.past(night.studyId, 9).map(({ id, state, n, author }) => [id, state, n, author]),
  ).toEqual([
    [2, 'taken', 2, 'model claude-opus-5-5'],
    [1, 'taken', 1, 'you'],
  ]);
});

test('an idea of the user’s is what is done, and waits again where somebody else proposed in the end', async () => {
  const night = await modelNight(
    (_, index) =>
      // Twice what is there already, and then a refusal by the loop: the search has the turn.
      index < 2 ? proposal('LR=2', 'LR=8', { idea: 2 }) : { kind: 'error', status: 403 },
    { experiments: 2, route: 'fallback' },
  );
  const { ledger } = night.engine;
  const add = (author: string, hypothesis: string) =>
    ledger.write(() =>
      ledger.ideas.add(night.studyId, {
        ...{ author, hypothesis, rationale: null, at: 1, predictedEffect: null, category: null, edit: null },
      }),
    );
  add('you', 'Mine');
  add('model claude-opus-5-5', 'Its own');
  await night.run();
  const states = [1, 2].map(id => ledger.ideas.get(night.studyId, id));
  // It named its own, but mine was what it was asked for.
  expect(states.map(idea => [idea?.state, idea?.n])).toEqual([
    ['taken', 1],
    ['waiting', null],
  ]);
});

test('proposers have room of their own in the queue', async () => {
  const many = Array.from({ length: 5 }, (_, n) => ({ hypothesis: `More ${n}` }));
  const night = await modelNight(
    (_, index) => proposal('LR=', `LR=${index}`, { ideas: many, differs: 'Yes.', category: `c${index}` }),
    { experiments: 12 },
  );
  await night.run();
  expect(night.engine.ledger.ideas.waiting(night.studyId)).toHaveLength(40);
});

test('an edit from the queue that is sent back is the proposer’s, whose failures count', async () => {
  const { desk, night, study } = await stoppedDesk();
  await desk.calls.ideas.add({ study, words: words('mine'), edits: [replace('LR=2', 'LR=6')], again: null });
  await desk.calls.studies.setApproval({ study, asks: true });
  const proposer = { kind: 'command', command: 'exit 1', timeoutSeconds: 5 } as const;
  await desk.calls.studies.resume({ study, stop: { experiments: 1 }, proposer });
  await desk.waitFor(cardWhere(({ waiting }) => waiting !== null));
  const review = await desk.calls.studies.review({ study, n: 1 });
  await desk.calls.studies.decide({
    ...{ study, review: review?.id ?? 0 },
    decision: { kind: 'send_back', text: 'Do it again.', comments: [] },
  });
  await untilStopped(desk, study);
  expect(desk.service.card(study).stopReason).toBe('proposer');
  await desk.close();
  await checkNight(night);
});

test('a terminal puts edits and words into the queue, and the window hears of it', async () => {
  const { night, desk, card } = await trainingDesk(2);
  const ask = (...args: string[]) => pawl(args, { home: night.home, cwd: night.repository });
  const mine = join(await temporaryFolder(), 'mine.sh');
  const { files } = await desk.calls.ideas.files({ study: card.id, n: null });
  await writeFile(mine, (files[0]?.text ?? '').replace('DEPTH=4', 'DEPTH=8'));
  const heard = desk.waitForNext(cardWhere(({ ideas }) => ideas.waiting === 1));
  expect(
    await ask('propose', 'Deeper', 'by', 'hand', '--expect', '-0.004', '--file', `train.sh=${mine}`),
  ).toMatchObject({ code: 0, stdout: expect.stringContaining('number 1 in the queue (changes train.sh)') });
  await heard;
  expect(await ask('propose', 'think of something')).toMatchObject({
    stdout: expect.stringContaining('(search) cannot read'),
  });
  const listed = await ask('ideas');
  expect(listed.stdout).toMatch(/1 +waiting +you +\u22120\.004\S* +Deeper by hand +train\.sh/);
  expect(await ask('ideas', '--drop', '2')).toMatchObject({ code: 0 });
  expect(await ask('ideas', '--drop', '2')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('No idea 2'),
  });
  expect(await ask('propose', 'x', '--file', 'nothing.sh')).toMatchObject({ code: 2 });
  await writeFile(night.gate, '');
  await untilStopped(desk, card.id);
  expect(rowsOf(night.home).experiments[2]).toMatchObject({ hypothesis: 'Deeper by hand' });
  await desk.close();
  await checkNight(night);
});

test.each([
  ['proposed', { type: 'proposed', n: 1 }],
  ['attempted', { type: 'attempted', n: 1 }],
  ['begun', { type: 'experiment_started', n: 1 }],
])('a kill once it is %s loses no idea that had its turn', async (_, event) => {
  const night = await prepareNight({ contract: contractFile() });
  const { home, repository } = night;
  await sitting(['run', repository, '--tag', TAG, '-n', '0'], { home });
  await writeFile(join(repository, 'mine.sh'), FAST_TRAINER.replace('LR=2', 'LR=8'));
  const asked = await pawl(['propose', 'LR by hand', '--file', `train.sh=${join(repository, 'mine.sh')}`], {
    ...{ home, cwd: repository },
  });
  expect(asked.stderr).toBe('');
  const args = ['resume', repository, '--tag', TAG, '-n', '1', '--json'];
  const died = new RunningPawl(args, { home, env: dyingAt({ event }) });
  await died.ended;
  const { code } = await sitting(['resume', repository, '--tag', TAG, '-n', '1'], { home });
  expect(code).toBe(0);
  expect(rowsOf(home).experiments.map(({ hypothesis, verdict }) => [hypothesis, verdict])).toEqual([
    ['Baseline: the code as it is', 'keep'],
    ['LR by hand', 'keep'],
  ]);
});
