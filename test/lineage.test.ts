import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeRows, lineageRows } from '../src/renderer/features/lineage/lineage-rows.ts';
import type { Cell } from '../src/shared/notebook.ts';

type Some = Partial<Pick<Cell, 'parent' | 'otherLine' | 'combines' | 'verdict'>>;
const cell = (n: number, more: Some = {}): Cell =>
  ({
    ...{ n, parent: n === 0 ? null : 0, otherLine: null, combines: null, supersededBy: null },
    verdict: { word: 'discard', reason: 'worse' },
    ...more,
  }) as Cell;
const keep = { verdict: { word: 'keep', reason: 'better' } } as const;
const told = (cells: readonly Cell[], best: number | null) =>
  lineageRows(cells, best).map(({ cell: { n }, column, above, below, isHeld, tried }) => ({
    ...{ n, column, isHeld, tried },
    lines: [
      above.map(({ from, to }) => `${from}${to}`).join(' '),
      below.map(({ from }) => `${from}`).join(' '),
    ],
  }));

test('the branch comes first, and what it left lies beside it and leads to what it was made on', () => {
  const cells = [
    cell(0, keep),
    cell(1),
    cell(2, keep),
    // Made before #2 was kept, and took its place.
    cell(3, { ...keep, parent: 0 }),
    cell(4, { parent: 2, otherLine: 2 }),
    cell(5, { parent: 3 }),
  ];
  expect(told(cells, 3)).toEqual([
    { n: 4, column: 1, isHeld: false, tried: 0, lines: ['', '1'] },
    { n: 3, column: 0, isHeld: true, tried: 1, lines: ['11', '1 0'] },
    { n: 2, column: 1, isHeld: false, tried: 0, lines: ['00 11', '0 1'] },
    { n: 0, column: 0, isHeld: true, tried: 1, lines: ['00 10', ''] },
  ]);
});

test('experiments on the branch that are no keeps of their own are told', () => {
  const cells = [cell(0, keep), cell(1), cell(2, { ...keep, parent: 1 }), cell(3, { ...keep, parent: 2 })];
  const say = (best: number) => describeRows(lineageRows(cells.slice(0, best + 1), best));
  expect(say(3)).toBe(
    'The branch holds the baseline and 3 more, newest first. 1 of them is there because a later keep was built on it. No experiment on another line was kept or built on.',
  );
  expect(say(0)).toBe(
    'The branch holds the baseline, newest first. No experiment on another line was kept or built on.',
  );
});

test('what trains on another line is shown, and what trains on the best is not', () => {
  const running = { verdict: null, parent: null };
  const rows = told([cell(0, keep), cell(1), cell(2, { ...running, otherLine: 1 }), cell(3, running)], 0);
  expect(rows.map(({ n }) => n)).toEqual([2, 1, 0]);
  expect(rows.at(-1)?.tried).toBe(0);
});

test('before the baseline has its number there is nothing', () => {
  expect(told([], null)).toEqual([]);
  expect(told([cell(0, { verdict: null, parent: null })], null)).toEqual([]);
});

test('each line that leaves a row arrives at what it was made on, whatever was built', () => {
  const built = fc.record({ parent: fc.nat(), isKept: fc.boolean() });
  // In lanes the numbers are not in the order in which things were built.
  const study = fc.array(built, { maxLength: 40 }).chain(all =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray(
        all.map((_, place) => place + 1),
        { minLength: all.length },
      ),
    ),
  );
  fc.assert(
    fc.property(study, ([all, numbers]) => {
      const cells = [cell(0, keep)];
      for (const [place, { parent, isKept }] of all.entries()) {
        const on = cells[parent % (place + 1)]?.n ?? 0;
        const made = { parent: on, ...(isKept ? keep : {}), otherLine: isKept ? null : on };
        cells.push(cell(numbers[place] ?? 0, made));
      }
      const best = cells.findLast(({ verdict }) => verdict?.word === 'keep')?.n ?? 0;
      const rows = lineageRows(
        cells.toSorted((a, b) => a.n - b.n),
        best,
      );
      let open: ReadonlyMap<number, number> = new Map();
      for (const { cell: own, column, above, below } of rows) {
        expect(above.map(({ from }) => from).sort()).toEqual([...open.keys()].sort());
        const ending = above.filter(({ from }) => open.get(from) === own.n);
        expect(ending.every(({ to }) => to === column)).toBe(true);
        const next = new Map([...open].filter(([, to]) => to !== own.n));
        expect(next.has(column), 'a dot lies on no other line').toBe(false);
        if (own.parent !== null) next.set(column, own.parent);
        expect(below.map(({ from }) => from).sort()).toEqual([...next.keys()].sort());
        open = next;
      }
      expect(open.size).toBe(0);
      expect(rows.filter(({ isHeld }) => isHeld).every(({ column }) => column === 0)).toBe(true);
    }),
  );
});
