import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEvent, LIVE_POINTS } from '../src/renderer/app/apply-event.ts';
import { type State, useStore } from '../src/renderer/app/store.ts';
import { matcherOf, partsOf } from '../src/renderer/features/notebook/match-text.ts';
import { notebookRows } from '../src/renderer/features/notebook/notebook-rows.ts';
import { describeStopMark } from '../src/renderer/format/stop-reasons.ts';
import { steadyRange } from '../src/renderer/ui/steady-rows.ts';
import { expectedEnd } from '../src/shared/expected-end.ts';
import type { Cell, Mark, RefusedProposal } from '../src/shared/notebook.ts';

test('a mark of a stop says the reason in words, with its detail', () => {
  expect(describeStopMark('patience')).toBe('No gain within its patience.');
  expect(describeStopMark('error: The disk is full: ENOSPC')).toBe(
    'Something went wrong. The disk is full: ENOSPC',
  );
  expect(describeStopMark('__proto__')).toBe('__proto__');
});

describe('rows of the notebook', () => {
  const cell = (n: number) => ({ n }) as Cell;
  const mark = (id: number, n: number) => ({ id, n, at: id, kind: 'steered', text: '' }) as Mark;
  const refusal = (n: number) =>
    ({ n, at: n, reason: 'duplicate', message: '', hypothesis: null }) as RefusedProposal;
  const keys = (rows: ReturnType<typeof notebookRows>) => rows.map(row => row.key);

  test('marks and refusals stand before the experiment they came before', () => {
    const rows = notebookRows(
      [cell(0), cell(1), cell(2)],
      [mark(7, 0), mark(8, 2)],
      [refusal(2)],
      'oldest',
      false,
    );
    expect(keys(rows)).toEqual(['m7', 'c0', 'c1', 'm8', 'r2', 'c2']);
  });

  test('newest first is the same upside down', () => {
    const rows = notebookRows(
      [cell(2), cell(1), cell(0)],
      [mark(7, 0), mark(8, 2)],
      [refusal(2)],
      'newest',
      false,
    );
    expect(keys(rows)).toEqual(['c2', 'r2', 'm8', 'c1', 'c0', 'm7']);
  });

  test('what comes before an experiment that has not begun is at the new end', () => {
    expect(keys(notebookRows([cell(0)], [mark(7, 1)], [], 'newest', false))).toEqual(['m7', 'c0']);
    expect(keys(notebookRows([cell(0)], [mark(7, 1)], [], 'oldest', false))).toEqual(['c0', 'm7']);
  });

  test('a filter leaves cells alone', () => {
    expect(keys(notebookRows([cell(2), cell(0)], [mark(7, 1)], [refusal(2)], 'newest', true))).toEqual([
      'c2',
      'c0',
    ]);
  });
});

describe('rows that are on the page', () => {
  const range = (startIndex: number, endIndex: number, count = 100) =>
    steadyRange({ startIndex, endIndex, overscan: 2, count }, 12);
  const ends = (indices: readonly number[]) => [indices.length, indices[0], indices.at(-1)];

  test('are as many wherever the list is scrolled to, and hold what is in sight', () => {
    expect(ends(range(0, 7))).toEqual([12, 0, 11]);
    expect(ends(range(40, 47))).toEqual([12, 38, 49]);
    expect(ends(range(40, 46))).toEqual([12, 38, 49]);
    expect(ends(range(93, 99))).toEqual([12, 88, 99]);
  });

  test('are all there are of a short list', () => {
    expect(range(0, 2, 3)).toEqual([0, 1, 2]);
    expect(range(0, 0, 0)).toEqual([]);
  });
});

describe('live points', () => {
  const points = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ seconds: from + index, values: { loss: 1 } }));
  const take = (state: State, from: number, count: number, k = 0): State => ({
    ...state,
    ...applyEvent(state, { type: 'live', study: 'night', n: 1, k, points: points(from, count) }),
  });
  const seconds = ({ live }: State) => live[0]?.points.map(point => point.seconds) ?? [];

  test('all of a run are kept in order, up to a bound', () => {
    const state = take(take(useStore.getState(), 0, 10), 10, LIVE_POINTS - 10);
    expect(seconds(state)).toEqual(Array.from({ length: LIVE_POINTS }, (_, index) => index));
    expect(state.live[0]?.folds).toBe(0);
  });

  test('past it the older half goes, and the window learns that it must read it again', () => {
    const state = take(take(useStore.getState(), 0, LIVE_POINTS), LIVE_POINTS, 1);
    expect(seconds(state)).toHaveLength(LIVE_POINTS / 2);
    expect(seconds(state).at(-1)).toBe(LIVE_POINTS);
    expect(state.live[0]?.folds).toBe(1);
  });

  test('of another run they begin anew', () => {
    const state = take(take(useStore.getState(), 0, LIVE_POINTS + 1), 0, 2, 1);
    expect(seconds(state)).toEqual([0, 1]);
    expect(state.live[0]?.folds).toBe(0);
  });
});

describe('what a search marks', () => {
  const marked = (words: string, text: string) => {
    const matcher = matcherOf(words);
    return matcher && partsOf(text, matcher).flatMap(part => (part.isMatch ? [part.words] : []));
  };

  test.each([
    ['batch', 'Batches of 512', ['Batch']],
    ['batches', 'A batch of 512, two BATCHES', ['batch', 'BATCHES']],
    ['weight dec', 'Weight decay up', ['Weight', 'dec']],
    ['a', 'A halved rate', ['A']],
    ['memory', 'CUDA outOfMemory', ['Memory']],
    ['(.*', 'anything', null],
    ['  ', 'anything', null],
  ])('%s in "%s"', (words, text, found) => {
    expect(marked(words, text)).toEqual(found);
  });

  test('no letter of the text is lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (words, text) => {
        const matcher = matcherOf(words);
        if (matcher)
          expect(
            partsOf(text, matcher)
              .map(part => part.words)
              .join(''),
          ).toBe(text);
      }),
    );
  });
});

describe('when a study is expected to end', () => {
  const tally = {
    ...{ finished: 4, keep: 2, discard: 1, crash: 1, baselineVerdict: 'keep' as const, keepRate: 0.5 },
    ...{ baseline: 1, best: 0.9, bestExperiment: 1 },
  };
  const pace = { deadline: null, experimentMs: 1_000, since: 10_000 };
  const running = { state: 'running', tally, stop: { experiments: 5 }, pace, waiting: null } as const;

  test('the experiments that are left take as long as those before', () => {
    expect(expectedEnd(running, 10_400)).toEqual({ at: 12_000, by: 'experiments' });
    // The one that runs takes longer, and could end at any moment.
    expect(expectedEnd(running, 11_500)).toEqual({ at: 12_500, by: 'experiments' });
    expect(expectedEnd({ ...running, stop: { experiments: 3 } }, 10_400)).toEqual({
      ...{ at: 10_400, by: 'experiments' },
    });
  });

  test('a deadline ends it earlier, and tells the end where nothing else does', () => {
    const late = { ...pace, deadline: 11_700 };
    expect(expectedEnd({ ...running, pace: late }, 10_400)).toEqual({ at: 11_700, by: 'deadline' });
    expect(expectedEnd({ ...running, pace: late, stop: {} }, 10_400)).toEqual({ at: 11_700, by: 'deadline' });
  });

  test('an experiment that takes far longer than those before, as when its proposer hangs, leaves only the deadline', () => {
    expect(expectedEnd(running, 13_000)).toEqual({ at: 14_000, by: 'experiments' });
    expect(expectedEnd(running, 13_001)).toBeNull();
    const late = { ...pace, deadline: 90_000 };
    expect(expectedEnd({ ...running, pace: late }, 13_001)).toEqual({ at: 90_000, by: 'deadline' });
  });

  test('while a proposal waits for the user, nobody knows', () => {
    const waiting = { ...running, waiting: { n: 4, review: 1 } };
    expect(expectedEnd(waiting, 10_400)).toBeNull();
    expect(expectedEnd({ ...waiting, pace: { ...pace, deadline: 11_700 } }, 10_400)).toEqual({
      ...{ at: 11_700, by: 'deadline' },
    });
  });

  test('where nothing tells nothing is said', () => {
    expect(expectedEnd({ ...running, stop: {} }, 10_400)).toBeNull();
    expect(expectedEnd({ ...running, pace: { ...pace, experimentMs: null } }, 10_400)).toBeNull();
    expect(expectedEnd({ ...running, state: 'paused' }, 10_400)).toBeNull();
    expect(expectedEnd({ ...running, pace: null }, 10_400)).toBeNull();
  });
});
