import type { ProgressClaim, ProgressRow } from '../../shared/charts/progress-model.ts';
import type { Cell, Mark } from '../../shared/notebook.ts';
import type { StudyClaims } from '../../shared/verdicts/claims.ts';
import { knownTime } from '../format/known-time.ts';

/** The experiments as the chart draws them. `listed` are those that pass a filter; null is all. */
export function progressRows(
  cells: readonly (Cell | undefined)[],
  claims: StudyClaims | null,
  listed: ReadonlySet<number> | null,
): readonly ProgressRow[] {
  const sure = new Map<number, ProgressClaim>(claims?.keeps.map(claim => [claim.n, claim]));
  return cells.flatMap(cell =>
    cell
      ? [
          {
            n: cell.n,
            at: knownTime(cell) ?? Number.NaN,
            // A keep counts only once the branch has moved; until then another experiment is the best.
            word: cell.phase === 'recorded' ? (cell.verdict?.word ?? null) : null,
            // Keeps are drawn at the mean of their runs, as in the header.
            metric: cell.verdict?.word === 'keep' ? (cell.record?.mean ?? null) : cell.metric,
            hypothesis: cell.hypothesis,
            claim: sure.get(cell.n),
            isSuperseded: claims !== null && cell.supersededBy !== null,
            isDimmed: listed !== null && !listed.has(cell.n),
          },
        ]
      : [],
  );
}

/** Number of the first experiment in the last sitting that tried any; null if no sitting is known. */
export function lastSittingFrom(marks: readonly Mark[], cells: number): number | null {
  return marks.findLast(({ kind, n }) => kind === 'started' && n < cells)?.n ?? null;
}
