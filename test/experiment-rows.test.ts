import { ORPCError } from '@orpc/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ExperimentReader } from '../src/renderer/app/experiment-rows.ts';
import { toast } from '../src/renderer/app/toast.ts';
import type { Cell } from '../src/shared/notebook.ts';
import { until } from './support/until.ts';

const cells = (...ns: readonly number[]) => ns.map(n => ({ n }) as Cell);
const refused = new ORPCError('INTERNAL_SERVER_ERROR', { message: 'A file is broken.' });

/** Reads pages of one experiment; what is asked is answered by hand. */
function read() {
  const asked: { study: string; n: number; answer: () => void; refuse: (error: Error) => void }[] = [];
  const reader = new ExperimentReader<string>(1, String, (study, [n = -1]) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly [number, string])[]>();
    asked.push({ study, n, answer: () => resolve([[n, study]]), refuse: reject });
    return promise;
  });
  /** The question that comes next. */
  const next = (place: number) => until(() => asked[place]);
  return { reader, asked, next };
}

test('a page of the study before that fails leaves the pages of the open one as they are', async () => {
  const { reader, next } = read();
  reader.want('before', cells(0));
  const first = await next(0);
  reader.want('open', cells(1, 2));
  first.refuse(refused);
  expect(await next(1)).toMatchObject({ study: 'open', n: 2 });
});

test('a page that cannot be read is left out, which is told once, and the others come', async () => {
  const told = vi.spyOn(toast, 'error').mockImplementation(() => {});
  onTestFinished(() => told.mockRestore());
  const { reader, next } = read();
  const done = Promise.withResolvers<void>();
  reader.subscribe(() => reader.read().rows.has(0) && done.resolve());
  reader.want('open', cells(0, 1, 2));
  (await next(0)).refuse(refused);
  (await next(1)).refuse(refused);
  (await next(2)).answer();
  await done.promise;
  expect(reader.read()).toMatchObject({ missing: 0, rows: new Map([[0, 'open']]) });
  expect(told.mock.calls.map(([text]) => text)).toEqual([
    'Some experiments could not be read: A file is broken.',
  ]);
});

test('at each moment it is told how many are still being read', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { reader, asked } = read();
  const settle = () => vi.advanceTimersByTimeAsync(0);
  reader.want('open', cells(0, 1));
  expect(reader.read().missing).toBe(2);
  // Cells that come meanwhile are read, too, and none twice.
  reader.want('open', cells(0, 1, 2));
  expect(reader.read().missing).toBe(3);
  for (const place of [0, 1, 2]) {
    await settle();
    asked[place]?.answer();
  }
  await settle();
  expect(asked.map(({ n }) => n)).toEqual([1, 2, 0]);
  // The last page is told at once, with what it says.
  expect(reader.read()).toMatchObject({ missing: 0 });
  expect([...reader.read().rows.keys()].sort()).toEqual([0, 1, 2]);
  reader.want('open', cells(0, 1, 2, 3));
  expect(reader.read().missing).toBe(1);
});

test('without a connection nothing more is asked until somebody wants it again', async () => {
  const { reader, asked, next } = read();
  reader.want('open', cells(0, 1));
  (await next(0)).refuse(new Error('The connection was closed.'));
  await until(() => reader.read().missing === 0);
  expect(asked).toHaveLength(1);
  reader.want('open', cells(0, 1));
  expect(await next(1)).toMatchObject({ n: 1 });
});
