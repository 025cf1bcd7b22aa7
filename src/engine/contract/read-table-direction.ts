import type { Goal } from '../../shared/contract/contract.ts';
import type { Claim } from './claims.ts';
import { type Document, sourceOf } from './document.ts';

/** The direction in a comment of a results table: `# metric_direction: lower_is_better`. */
export function readTableDirection(table: Document | null): readonly Claim<Goal>[] {
  if (table === null) return [];
  for (const [index, line] of table.lines.entries()) {
    if (!line.startsWith('#')) return [];
    const word = /direction\s*[:=]\s*(lower|higher|min|max)/i.exec(line)?.[1]?.toLowerCase();
    if (word === undefined) continue;
    const value = word === 'lower' || word === 'min' ? 'minimize' : 'maximize';
    return [{ value, source: sourceOf(table, index + 1), strength: 2 }];
  }
  return [];
}
