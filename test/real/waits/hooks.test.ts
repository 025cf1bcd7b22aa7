import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventSchema } from '../../../src/shared/events.ts';
import { pawl, sitting } from '../../support/pawl.ts';
import { checkNight, prepareNight, readRows, rowsOf, TAG } from '../../support/study.ts';

test('hooks of the user are told what happens, in order, and hold up nothing', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const log = join(home, 'told.jsonl');
  const tell = (name: string) =>
    `${name} = ["/bin/sh", "-c", ${JSON.stringify(`cat >> ${log}; echo "said by ${name}"`)}]\n`;
  await writeFile(
    join(home, 'settings.toml'),
    `[hooks]\n${['before', 'after', 'best', 'ended'].map(tell).join('')}`,
  );
  const { code, events } = await sitting(['run', repository, '--tag', TAG, '-n', '2'], { home });
  expect(code).toBe(0);
  const told = (await readFile(log, 'utf8'))
    .trim()
    .split('\n')
    .map(line => eventSchema.parse(JSON.parse(line)));
  expect(told).toEqual(
    events.filter(({ type }) => ['run_started', 'verdict', 'new_best', 'study_stopped'].includes(type)),
  );
  const kept = await readFile(join(home, 'studies', rowsOf(home).studyId, 'hooks.log'), 'utf8');
  expect(kept).toMatch(/ before \(run_started\): done\nsaid by before\n/);
  expect(kept).toMatch(/ ended \(study_stopped\): done\nsaid by ended\n$/);
  await checkNight(night);
});

test('a hook that fails says so once and stops nothing; one that floods is cut', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await writeFile(
    join(home, 'settings.toml'),
    '[hooks]\nafter = ["/bin/sh", "-c", "echo no >&2; exit 3"]\nbefore = ["/no/such/program"]\nended = ["/bin/sh", "-c", "yes"]\n',
  );
  const { code, events } = await sitting(['run', repository, '--tag', TAG, '-n', '2'], { home });
  expect(code).toBe(0);
  const warnings = events.flatMap(event =>
    event.type === 'warning' && event.code === 'hook' ? event.message : [],
  );
  expect(warnings.sort()).toEqual([
    expect.stringMatching(/^The hook after .* ended with 3: no$/),
    expect.stringContaining('The hook before of your settings failed: The hook before could not be started'),
    expect.stringContaining('printed more than 65536 bytes'),
  ]);
  expect(rowsOf(home).experiments).toHaveLength(3);
  const text = await readFile(join(home, 'studies', rowsOf(home).studyId, 'hooks.log'), 'utf8');
  expect(text.length).toBeLessThan(100_000);
});

test('a hook that hangs is ended with the sitting, and the last word is told all the same', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await writeFile(
    join(home, 'settings.toml'),
    '[hooks]\nafter = ["/bin/sleep", "600"]\nended = ["/bin/sh", "-c", "echo good night"]\n',
  );
  const { code, events } = await sitting(['run', repository, '--tag', TAG, '-n', '2'], { home });
  expect(code).toBe(0);
  const warnings = events.flatMap(event =>
    event.type === 'warning' && event.code === 'hook' ? event.message : [],
  );
  expect(warnings).toEqual([
    'The hook after of your settings failed: It was stopped when the sitting ended.',
  ]);
  const text = await readFile(join(home, 'studies', rowsOf(home).studyId, 'hooks.log'), 'utf8');
  expect(text).toMatch(/^\S+ ended \(study_stopped\): done\ngood night\n$/);
});

test('a settings file that is wrong is said before anything starts', async () => {
  const night = await prepareNight();
  await writeFile(join(night.home, 'settings.toml'), '[hooks]\nalways = ["x"]\n');
  const { code, stderr } = await pawl(['run', night.repository, '--tag', TAG, '-n', '1'], {
    home: night.home,
  });
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('settings.toml: hooks'),
  });
  expect(readRows(night.home)).toBeNull();
});
