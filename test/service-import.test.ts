import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pawl } from './support/pawl.ts';

import { temporaryFolder } from './support/scaffold.ts';
import { openDesk, refusalOf } from './support/service.ts';
import { UPSTREAM } from './support/tables.ts';

const TWO =
  'commit\tndcg@10\tmap@100\tstatus\na1b2c3d\t0.4\t0.2\tkeep\nb1b2c3d\t0.5\t0.1\tdiscard\n\nnot a row\n';

test('a table that a window sends is a study in every window', async () => {
  const desk = await openDesk();
  const answer = await desk.calls.studies.import({ source: { name: 'night.tsv', text: UPSTREAM } });
  expect(answer).toMatchObject({
    ...{ kind: 'imported', goalFrom: 'name', skipped: [], skippedCount: 0 },
    card: {
      tag: 'night',
      state: 'imported',
      importedFrom: 'night.tsv',
      cells: 4,
      tally: { finished: 4, keep: 2 },
    },
  });
  if (answer.kind !== 'imported') throw new Error(answer.kind);
  expect(desk.events).toContainEqual({ type: 'study', card: answer.card });
  expect((await desk.calls.app.snapshot()).studies).toEqual([answer.card]);
});

test('a snapshot brings the newest cells of the study that is to be opened', async () => {
  const desk = await openDesk();
  const answer = await desk.calls.studies.import({ source: { name: 'night.tsv', text: UPSTREAM } });
  if (answer.kind !== 'imported') throw new Error(answer.kind);
  const study = answer.card.id;
  expect((await desk.calls.app.snapshot()).first).toBeNull();
  expect((await desk.calls.app.snapshot({ study: 'gone' })).first).toBeNull();
  const { first } = await desk.calls.app.snapshot({ study });
  expect(first).toEqual({
    study,
    cells: await desk.calls.studies.cells({ study, before: null, limit: 100 }),
  });
  expect(first?.cells.map(({ n }) => n)).toEqual([3, 2, 1, 0]);
});

test('what a table leaves open is asked, and answered by asking again', async () => {
  const desk = await openDesk();
  const source = { name: 'two.tsv', text: TWO };
  expect(await desk.calls.studies.import({ source })).toEqual({
    kind: 'question',
    question: { kind: 'metric', names: ['ndcg@10', 'map@100'] },
  });
  expect((await desk.calls.app.snapshot()).studies).toEqual([]);
  expect(await desk.calls.studies.import({ source, metric: 'ndcg@10', tag: 'ranking' })).toMatchObject({
    ...{ kind: 'imported', skippedCount: 1, skipped: [{ line: 5, reason: 'is a note, not a row.' }] },
    card: { tag: 'ranking', contract: { metric: { name: 'ndcg@10', goal: 'maximize' } } },
  });
});

test('a path is read on the machine of the host, and refused by name', async () => {
  const desk = await openDesk();
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'results.tsv'), UPSTREAM);
  expect(await desk.calls.studies.import({ source: { path: join(folder, 'results.tsv') } })).toMatchObject({
    kind: 'imported',
  });
  expect(
    await refusalOf(desk.calls.studies.import({ source: { path: join(folder, 'none.tsv') } })),
  ).toMatchObject({
    code: 'import_invalid',
  });
  expect(
    await refusalOf(desk.calls.studies.import({ source: { name: 'a.tsv', text: UPSTREAM }, tag: 'a b' })),
  ).toMatchObject({ code: 'usage' });
});

test('what the terminal imports appears in windows that are open', async () => {
  const desk = await openDesk();
  const folder = await temporaryFolder();
  const path = join(folder, 'night.tsv');
  await writeFile(path, UPSTREAM);
  const { code } = await pawl(['import', path], { home: desk.home });
  expect(code).toBe(0);
  const event = await desk.waitFor(one => one.type === 'study' && one.card.importedFrom === 'night.tsv');
  expect(event).toMatchObject({ card: { tag: 'night', cells: 4 } });
});

test('an imported study tells no time and no proposer, and is not what runs last', async () => {
  const desk = await openDesk();
  const answer = await desk.calls.studies.import({ source: { name: 'night.tsv', text: UPSTREAM } });
  if (answer.kind !== 'imported') throw new Error(answer.kind);
  const study = answer.card.id;
  const { cell, proposer, calls, runs } = await desk.calls.experiments.get({ study, n: 1 });
  expect({ proposer, calls, runs }).toEqual({ proposer: null, calls: [], runs: [] });
  expect(cell).toMatchObject({ endedAt: null, trainedSeconds: null, isContained: null });
  expect(desk.service.latest()).toBeNull();
  expect(answer.card.contract).toMatchObject({ train: '', editable: [], instructions: null });
});
