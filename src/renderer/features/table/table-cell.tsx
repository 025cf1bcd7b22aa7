import type { Cell } from '../../../shared/notebook.ts';
import { ABSENT } from '../../../shared/numbers.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { VerdictBadge } from '../../ui/verdict-badge.tsx';
import { type Column, CURVE, type Row } from './table-columns.ts';

/** Space for a curve inside the padding of its cell. */
const CURVE_PX = { width: 92, height: 22 };

/** The cell content that is not text. */
export function CellContent({
  column,
  row,
  sparkline,
}: {
  readonly column: Column;
  readonly row: Row;
  readonly sparkline: readonly (number | null)[] | null;
}) {
  const { cell } = row;
  if (column.id === CURVE) {
    return sparkline && sparkline.length > 1 ? (
      <Sparkline y={sparkline} {...CURVE_PX} label={`Curve of experiment ${cell.n}`} />
    ) : null;
  }
  if (column.id === 'verdict') {
    return (
      <VerdictBadge
        word={cell.verdict?.word ?? null}
        phase={cell.phase}
        isRolledBack={cell.verdict?.reason === 'rolled_back'}
      />
    );
  }
  return <Tags cell={cell} />;
}

/** The text of a cell that holds only text; null for other content. */
export function textOf(column: Column, row: Row): string | null {
  if (column.id === CURVE || column.id === 'verdict' || column.id === 'tags') return null;
  const value = column.value(row);
  if (value === null) return column.holds === 'numbers' ? ABSENT : '';
  return column.show(value, row);
}

function Tags({ cell }: { readonly cell: Cell }) {
  return (
    <span className="flex gap-1 overflow-hidden">
      {cell.tags.map(tag => (
        <span key={tag} className="truncate rounded bg-accent-soft px-1.5 text-accent text-xs">
          {tag}
        </span>
      ))}
    </span>
  );
}

/**
 * How a cell lies: a text is a text in its cell and no box of its own, for there are hundreds of them. Only what may be too
 * long is cut at the edge, because each edge that cuts is a surface of its own to paint.
 */
export function layoutOf(column: Column, text: string | null, width: number): string {
  if (text !== null) return surelyFits(text, width) ? 'leading-[31px]' : 'cut-off leading-[31px]';
  return column.id === 'tags' || width < column.width
    ? 'flex items-center overflow-hidden'
    : 'flex items-center';
}

/** Wider than almost all letters and digits, in pixels; the padding on both sides of a cell. */
const LETTER_PX = 9;
const PADDING_PX = 16;
const IS_LATIN = /^[\x20-\xff\u2013\u2014\u2212]*$/;

function surelyFits(text: string, width: number): boolean {
  return text.length * LETTER_PX + PADDING_PX <= width && IS_LATIN.test(text);
}

/** Numbers are aligned right, so that their digits line up. */
export function alignOf(column: Column, row: Row | null): string {
  const isNumber = column.holds === 'numbers' || (column.holds === 'mixed' && isNumeric(column, row));
  return isNumber ? 'tabular justify-end text-right' : '';
}

function isNumeric(column: Column, row: Row | null): boolean {
  return row === null || typeof column.value(row) !== 'string';
}
