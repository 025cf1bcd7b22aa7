import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ask } from './calls.ts';
import { expect, test } from './fixtures.ts';
import { startStudy } from './study.ts';

test('the file manager shows the log of an experiment, at a path that the page does not choose', async ({
  app,
  page,
  bench,
}) => {
  const study = await startStudy(page, bench, 1);
  await expect.poll(() => app.probe<readonly unknown[]>('notifications')).toHaveLength(2);
  const reveal = (what: string) =>
    ask<{ isShown: boolean; path: string }>(page, 'experiments/reveal', { study: study.id, n: 1, what });
  const log = await reveal('log');
  expect(log.path).toMatch(new RegExp(`/studies/${study.id}/runs/1/output\\.log$`));
  expect((await stat(log.path)).isFile()).toBe(true);
  const folder = await reveal('folder');
  expect(folder).toEqual({ isShown: true, path: dirname(log.path) });
  expect(await app.probe('shownItems')).toEqual([log.path, folder.path]);
});
