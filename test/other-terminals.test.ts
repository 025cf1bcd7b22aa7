import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { NotebookEvent, StudyCard } from '../src/shared/notebook.ts';
import { pawl } from './support/pawl.ts';
import { openDesk, untilStopped } from './support/service.ts';
import { checkNight } from './support/study.ts';
import { tableDesk } from './support/table-desk.ts';
import { UPSTREAM } from './support/tables.ts';
import { trainingDesk } from './support/training-desk.ts';

const cardWhere = (accepts: (card: StudyCard) => boolean) => (event: NotebookEvent) =>
  event.type === 'study' && accepts(event.card);

test('a window is told what another terminal asks for, and when it comes true', async () => {
  const { night, desk, card } = await trainingDesk(2);
  const ask = (...args: string[]) => pawl(args, { home: night.home, cwd: night.repository });
  const wished = desk.waitForNext(cardWhere(({ current }) => current?.wish === 'pause'));
  expect(await ask('pause')).toMatchObject({ code: 0 });
  await wished;
  const taken = desk.waitForNext(cardWhere(({ current }) => current?.wish === null));
  expect(await ask('resume')).toMatchObject({ code: 0, stdout: 'It continues.\n' });
  await taken;

  const again = desk.waitForNext(cardWhere(({ current }) => current?.wish === 'pause'));
  await ask('pause');
  await again;
  const paused = desk.waitForNext(cardWhere(({ state }) => state === 'paused'));
  await writeFile(night.gate, '');
  await paused;
  const goesOn = desk.waitForNext(cardWhere(({ state }) => state === 'running'));
  await ask('resume');
  await goesOn;
  expect(await untilStopped(desk, card.id)).toMatchObject({ stopReason: 'experiments' });
  await desk.close();
  await checkNight(night);
});

test('a terminal is told that a window runs no study, and what it asked does not hit the next one', async () => {
  const { night, desk, card } = await trainingDesk(2);
  const ask = (...args: string[]) => pawl(args, { home: night.home, cwd: night.repository });
  await desk.calls.studies.request({ study: card.id, kind: 'stop_now' });
  await untilStopped(desk, card.id);
  for (const args of [['pause'], ['stop'], ['stop', '--now'], ['resume']]) {
    const said = await ask(...args);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toMatch(/window .*no study runs/i);
  }
  await writeFile(night.gate, '');
  desk.service.begin(card.id, { stop: { experiments: 2 } });
  expect(await untilStopped(desk, card.id)).toMatchObject({ stopReason: 'experiments' });
});

test('a window is told of notes and of studies that another terminal wrote', async () => {
  const table = await tableDesk();
  await table.import('one.tsv', UPSTREAM);
  const desk = await openDesk({ home: table.home });
  const [one] = (await desk.calls.app.snapshot()).studies;
  const noted = desk.waitForNext(
    event => event.type === 'cell' && event.study === one?.id && event.cell.n === 1 && event.cell.notes === 1,
  );
  expect(await pawl(['note', '1', 'look', 'here', '--tag', 'one'], { home: table.home })).toMatchObject({
    code: 0,
  });
  await noted;
  const imported = desk.waitForNext(cardWhere(({ tag, tally }) => tag === 'two' && tally.finished === 4));
  await table.import('two.tsv', UPSTREAM);
  await imported;
  // What a window writes itself is told once.
  const before = desk.events.length;
  await desk.calls.experiments.addNote({ study: one?.id ?? '', n: 2, text: 'mine' });
  expect(desk.events.slice(before).filter(({ type }) => type === 'cell')).toHaveLength(1);
});
