import { expect, test } from 'vitest';
import { readDebrief } from '../src/engine/debrief/read-debrief.ts';
import { openRepository } from '../src/engine/git/repository.ts';
import { readLine } from '../src/engine/stack/read-keeps.ts';
import type { EngineEvent } from '../src/shared/events.ts';
import { lanesNight } from './support/lanes-night.ts';
import { pawl } from './support/pawl.ts';

const verdictOf = (n: number) => (event: EngineEvent) => event.type === 'verdict' && event.n === n;
const startOf = (n: number) => (event: EngineEvent) => event.type === 'run_started' && event.n === n;

test('a keep that took the place of a later one is the best, and its gain is that of its own edit', async () => {
  const night = await lanesNight([{ LR: 7 }, { DEPTH: 8 }]);
  const ended = night.run();
  await night.until(startOf(1));
  await night.until(startOf(2));
  await night.open({ DEPTH: 8 });
  await night.until(verdictOf(2));
  await night.open({ LR: 7 });
  await ended;
  const { ledger } = night.engine;
  const study = ledger.studies.get(night.studyId);
  if (!study) throw new Error('the study is gone');
  const record = (n: number) => ledger.experiments.get(study.id, n)?.record?.mean ?? Number.NaN;
  const gain = record(0) - record(1);

  const debrief = await readDebrief(ledger, study, null, Date.now());
  expect(debrief.after?.n).toBe(1);
  expect(debrief.kept.map(({ n, supersededBy }) => [n, supersededBy])).toEqual([
    [2, 1],
    [1, null],
  ]);
  expect(debrief.kept.at(-1)?.gain).toBeCloseTo(gain, 9);
  expect(debrief.arms[0]?.gain).toBeCloseTo(gain, 9);
  expect(debrief.next.map(({ title }) => title)).toContain('Make a branch at the best, #1');

  const { keeps } = await readLine(ledger, study, await openRepository(night.repository));
  expect(keeps.map(({ n }) => n)).toEqual([1]);
  expect(keeps[0]?.gain).toBeCloseTo(gain, 9);
  const show = async (n: string) => (await pawl(['show', n, night.repository], { home: night.home })).stdout;
  expect(await show('1')).toMatch(/^late +It was made on #0; .* without the edits of #2\.$/m);
  expect(await show('2')).toMatch(/^superseded +by #1, /m);
  const [proposer] = ledger.proposerCalls.records(study.id);
  expect(proposer?.gainShare).toBeCloseTo(gain / record(0), 9);
});
