import { CircleDashed, CirclePause, Minus, TrendingUp, TriangleAlert } from 'lucide-react';
import type { Cell } from '../../shared/notebook.ts';
import { classNames } from './class-names.ts';

const LOOKS = {
  keep: { icon: TrendingUp, className: 'text-keep' },
  discard: { icon: Minus, className: 'text-discard' },
  crash: { icon: TriangleAlert, className: 'text-crash' },
} as const;

/** An experiment's verdict as icon and word; the colour only repeats them. */
export function VerdictBadge({ cell }: { readonly cell: Pick<Cell, 'verdict' | 'phase'> }) {
  const word = cell.verdict?.word;
  const isInterrupted = cell.phase === 'interrupted';
  const look = word
    ? LOOKS[word]
    : {
        icon: isInterrupted ? CirclePause : CircleDashed,
        className: isInterrupted ? 'text-warn' : 'text-accent',
      };
  const Icon = look.icon;
  return (
    <span className={classNames('inline-flex items-center gap-1.5 font-medium text-sm', look.className)}>
      <Icon size={15} strokeWidth={2.25} aria-hidden className="shrink-0" />
      {word ?? cell.phase}
    </span>
  );
}
