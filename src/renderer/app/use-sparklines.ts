import { useEffect, useRef, useState } from 'react';
import type { Cell } from '../../shared/notebook.ts';
import { getClient } from './sync.ts';

/** Points of a sparkline: as many as it is pixels wide would be too many to tell apart. */
const POINTS = 48;
/** A list that is being scrolled fast asks only when it slows down. */
const SETTLE_MS = 120;
const KEPT = 2_000;

type Points = readonly (number | null)[];

/** The loss of each cell in sight, in a few points; what has been read once is not read again. */
export function useSparklines(study: string, cells: readonly Cell[]): ReadonlyMap<number, Points> {
  const known = useRef({ study, lines: new Map<number, Points>(), asked: new Set<string>() });
  const [, redraw] = useState(0);
  if (known.current.study !== study) known.current = { study, lines: new Map(), asked: new Set() };
  const { asked } = known.current;
  // A cell that is still training has another curve when it has ended.
  const keyOf = (cell: Cell) => `${cell.n} ${cell.phase === 'recorded'} ${cell.endedAt ?? ''}`;
  const missing = cells.filter(cell => cell.phase === 'recorded' && !asked.has(keyOf(cell)));
  const wanted = missing.map(keyOf).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `wanted` stands for `missing`, which is new every time.
  useEffect(() => {
    if (wanted === '') return;
    const timer = setTimeout(() => {
      const { current } = known;
      for (const cell of missing) current.asked.add(keyOf(cell));
      // A function of its own, for without a connection `getClient` throws.
      const ask = async () =>
        getClient().experiments.sparklines({
          study,
          ns: missing.map(cell => cell.n).slice(0, 100),
          width: POINTS,
        });
      ask()
        .then(lines => {
          if (current.lines.size > KEPT) {
            current.lines.clear();
            current.asked.clear();
          }
          for (const { n, y } of lines) current.lines.set(n, y);
          redraw(before => before + 1);
        })
        .catch(() => {
          // Without its small curve a cell says all the same things; the connection notice tells the rest.
          for (const cell of missing) current.asked.delete(keyOf(cell));
        });
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [wanted, study]);
  return known.current.lines;
}
