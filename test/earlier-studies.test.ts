import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeMemory, readMemory, saveMemory } from '../src/engine/proposers/study-memory.ts';
import type { Ledger } from '../src/engine/store/ledger.ts';
import { MEMORY_CHARACTERS } from '../src/shared/proposers/memory.ts';
import { bodyOf, modelNight, proposal } from './support/model-night.ts';
import { pawl, sitting } from './support/pawl.ts';
import { temporaryFolder } from './support/scaffold.ts';
import { openDesk, refusalOf, untilStopped } from './support/service.ts';
import { prepareNight, rowsOf, TAG } from './support/study.ts';

/** Writes down a study of the same repository that is over, with one kept idea. */
function addEarlier(ledger: Ledger, id: string, hypothesis: string): void {
  const study = ledger.studies.get(id);
  if (!study) throw new Error('there is no study to copy');
  ledger.write(() => {
    ledger.studies.insert({ ...study, id: 'earlier', tag: 'nov27', worktreeName: 'w', createdAt: 1 });
    for (const [n, metric] of [1.1, 1.05].entries()) {
      ledger.experiments.begin('earlier', n, { commit: 'p' }, 1);
      ledger.experiments.propose('earlier', n, {
        ...{ hypothesis: n === 0 ? 'Baseline' : hypothesis, rationale: null, predictedEffect: null },
        ...{ category: null, memo: null },
      });
      ledger.experiments.attempt('earlier', n, { commit: `c${n}`, editDigest: `d${n}`, sourceLines: 1 });
      ledger.experiments.decide(
        'earlier',
        n,
        { word: 'keep', reason: n === 0 ? 'baseline' : 'better', evidence: { run: 0, metric } },
        2,
      );
      ledger.experiments.setPhase('earlier', n, 'recorded');
    }
  });
}

test('a model is told what earlier studies learnt, in the part that is cached, and then as it was edited', async () => {
  const night = await modelNight(
    (_, index) =>
      index === 0 ? proposal('LR=2', 'LR=8') : proposal('WIDTH=16', 'WIDTH=8', { differs: 'Yes.' }),
    { experiments: 1 },
  );
  const { ledger } = night.engine;
  const study = ledger.studies.get(night.studyId);
  if (!study) throw new Error('the study is gone');
  addEarlier(ledger, study.id, 'Raise the rate');
  const save = (author: 'pawl' | 'you', text: string) =>
    saveMemory(ledger, study, { author, text }, ledger.memories.latest(study.id)?.id ?? 0, 1);
  save('pawl', makeMemory(ledger, study));
  await night.run();
  const [first] = night.server.requests;
  const [rules] = bodyOf(first).system;
  expect(rules?.cache_control).toBeDefined();
  expect(rules?.text).toMatch(
    /# What earlier studies learnt\n[^<]*<data-\w+ of="earlier studies">\n## Studies[\s\S]*autoresearch\/nov27 #1: Raise the rate, -0\.05, keep[\s\S]*<\/data-/,
  );
  expect(JSON.stringify(bodyOf(first).messages)).not.toContain('Raise the rate');
  save('you', 'Only this: the rate was too low.\u001b[31m');
  await night.engine.run(study.id, { stop: { experiments: 2 } }, () => {});
  const second = JSON.stringify(bodyOf(night.server.requests.at(-1)).system);
  expect(second).toContain('Only this: the rate was too low.\\n</data-');
  expect(second).not.toContain('Raise the rate');
});

test('a study without earlier ones tells its model nothing of any', async () => {
  const night = await modelNight(() => proposal('LR=2', 'LR=8'));
  await night.run();
  expect(JSON.stringify(night.server.requests.map(bodyOf))).not.toContain('earlier studies');
  const { ledger } = night.engine;
  expect(ledger.memories.latest(night.studyId)).toMatchObject({ id: 1, author: 'pawl', text: '' });
});

test('a study that was begun before there was any gets it when it is first asked for', async () => {
  const night = await modelNight(() => proposal('LR=2', 'LR=8'));
  const { ledger } = night.engine;
  const study = ledger.studies.get(night.studyId);
  if (!study) throw new Error('the study is gone');
  addEarlier(ledger, study.id, 'Raise the rate');
  const copy = { ...study, id: 'old', tag: 'old', worktreeName: 'old' };
  ledger.write(() => ledger.studies.insert(copy));
  expect(readMemory(ledger, copy, 7)).toMatchObject({ id: 1, at: 7, author: 'pawl' });
  expect(readMemory(ledger, copy, 8)).toMatchObject({ id: 1, at: 7 });
  expect(readMemory(ledger, copy, 8).text).toContain('autoresearch/nov27 #1: Raise the rate');
});

test('the window shows it from the beginning of a study, saves it, leaves it out and makes it again', async () => {
  const night = await prepareNight();
  const out = join(await temporaryFolder(), 'asked.json');
  const desk = await openDesk({ home: night.home });
  const start = async (tag: string, proposer: object, experiments: number) => {
    const { id } = await desk.calls.studies.start({
      ...{ path: night.repository, tag, proposer: proposer as never, stop: { experiments } },
    });
    await untilStopped(desk, id);
    return id;
  };
  await start(TAG, { kind: 'search', seed: 1 }, 4);
  const kept = rowsOf(night.home).experiments.find(({ n, verdict }) => n > 0 && verdict === 'keep');
  const study = await start('second', { kind: 'search', seed: 1 }, 0);
  const { memory } = desk.calls;
  const made = await memory.read({ study });
  expect(made.versions).toMatchObject([{ id: 1, author: 'pawl' }]);
  expect(made.text).toContain(`autoresearch/night #${kept?.n}: ${kept?.hypothesis}`);

  const heard = desk.waitForNext(event => event.type === 'mark' && event.mark.kind === 'memory');
  const mine = await memory.save({ study, text: 'Mine.', base: 1 });
  expect(mine).toMatchObject({ text: 'Mine.', versions: [{ id: 2, author: 'you' }, { id: 1 }] });
  expect(await heard).toMatchObject({
    mark: { text: 'What earlier studies learnt: changed by you (version 2)' },
  });
  expect(await refusalOf(memory.save({ study, text: 'Late.', base: 1 }))).toMatchObject({
    ...{ code: 'usage', message: expect.stringContaining('saved elsewhere meanwhile (version 2)') },
  });
  await expect(memory.save({ study, text: 'x'.repeat(MEMORY_CHARACTERS + 1), base: 2 })).rejects.toThrow();
  expect(await memory.version({ study, id: 1 })).toEqual({ text: made.text });

  const command = `cat > ${out}; exit 1`;
  const asked = async () => {
    await desk.calls.studies.resume({
      ...{ study, stop: { experiments: 1 }, proposer: { kind: 'command', command, timeoutSeconds: 9 } },
    });
    await untilStopped(desk, study);
    return (JSON.parse(await readFile(out, 'utf8')) as { memory: unknown }).memory;
  };
  expect(await asked()).toBe('Mine.');
  expect(await memory.save({ study, text: '', base: 2 })).toMatchObject({ text: '' });
  expect(await asked()).toBeNull();
  expect(await memory.again({ study, base: 3 })).toMatchObject({
    ...{ text: made.text, versions: [{ id: 4, author: 'pawl' }, {}, {}, {}] },
  });
  const marks = desk.service.ledger.marks.ofKind(study, 'memory').map(({ text }) => text);
  expect(marks.slice(1)).toEqual([
    'What earlier studies learnt: left out (version 3)',
    'What earlier studies learnt: made again from their results (version 4)',
  ]);
});

test('a terminal prints it, sets it from a file, and an open window hears of it', async () => {
  const { home, repository } = await prepareNight();
  await sitting(['run', repository, '--tag', TAG, '-n', '2'], { home });
  await sitting(['run', repository, '--tag', 'second', '-n', '0'], { home });
  const desk = await openDesk({ home });
  const ask = (...args: string[]) => pawl(['memory', ...args], { home, cwd: repository });
  const printed = await ask();
  expect(printed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^## Studies\n- autoresearch\/night: /),
  });
  expect(printed.stderr).toContain('(search by Gaussian process) cannot read it');
  expect(await ask('--tag', TAG)).toMatchObject({
    ...{ code: 0, stdout: '', stderr: expect.stringContaining('No other study of this repository') },
  });
  const file = join(await temporaryFolder(), 'mine.md');
  await writeFile(file, 'Mine.\r\nAnd more.\n');
  const heard = desk.waitForNext(event => event.type === 'mark' && event.mark.kind === 'memory');
  expect(await ask('--edit', file)).toMatchObject({ code: 0, stdout: 'Mine.\nAnd more.\n' });
  await heard;
  expect(await ask('--clear')).toMatchObject({ code: 0, stdout: '' });
  expect(await ask()).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('You left it out'),
  });
  expect(await ask('--again')).toMatchObject({ code: 0, stdout: printed.stdout });
  expect(await ask('--again', '--clear')).toMatchObject({ code: 2 });
  expect(await ask('--edit', 'nothing.md')).toMatchObject({ code: 2 });
});
