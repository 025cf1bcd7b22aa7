import { useEffect, useRef, useState } from 'react';
import type { Cell } from '../../shared/notebook.ts';
import { getClient } from './sync.ts';

/** Points per sparkline: one per pixel would be too many to tell apart. */
const POINTS = 48;
/** While a list scrolls fast, nothing is requested until it slows down. */
const SETTLE_MS = 120;
const KEPT = 2_000;

type Points = readonly (number | null)[];

/** The loss of each visible cell in a few points; a curve that was read is not read again. */
export function useSparklines(study: string, cells: readonly Cell[]): ReadonlyMap<number, Points> {
  const known = useRef({ study, lines: new Map<number, Points>(), asked: new Set<string>() });
  const [, redraw] = useState(0);
  if (known.current.study !== study) known.current = { study, lines: new Map(), asked: new Set() };
  const { asked } = known.current;
  // A training cell has a different curve once it has ended.
  const keyOf = (cell: Cell) => `${cell.n} ${cell.phase === 'recorded'} ${cell.endedAt ?? ''}`;
  const missing = cells.filter(cell => cell.phase === 'recorded' && !asked.has(keyOf(cell)));
  const wanted = missing.map(keyOf).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `wanted` stands for `missing`, which is new every time.
  useEffect(() => {
    if (wanted === '') return;
    const timer = setTimeout(() => {
      const { current } = known;
      for (const cell of missing) current.asked.add(keyOf(cell));
      // A separate function, because `getClient` throws without a connection.
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
          // A cell works without its sparkline, and the connection notice reports the problem.
          for (const cell of missing) current.asked.delete(keyOf(cell));
        });
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [wanted, study]);
  return known.current.lines;
}
