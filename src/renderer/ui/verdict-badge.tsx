import { Check, CircleDashed, CircleHelp, CirclePause, Minus, Undo2, X } from 'lucide-react';
import type { Phase, VerdictWord } from '../../shared/study.ts';
import { classNames } from './class-names.ts';

const LOOKS = {
  keep: { icon: Check, className: 'text-keep' },
  discard: { icon: Minus, className: 'text-discard' },
  crash: { icon: X, className: 'text-crash' },
  other: { icon: CircleHelp, className: 'text-muted' },
} as const;

/** An experiment's verdict as icon and word, or its phase while there is none; the colour only repeats them. */
export function VerdictBadge({
  word,
  phase,
  isRolledBack = false,
}: {
  readonly word: VerdictWord | null;
  readonly phase?: Phase;
  /** It was kept, and taken back. */
  readonly isRolledBack?: boolean;
}) {
  const isHeld = phase === 'interrupted' || phase === 'reviewing';
  const look = isRolledBack
    ? { icon: Undo2, className: 'text-warn' }
    : word
      ? LOOKS[word]
      : {
          icon: isHeld ? CirclePause : CircleDashed,
          className: isHeld ? 'text-warn' : 'text-accent',
        };
  const Icon = look.icon;
  return (
    <span className={classNames('inline-flex items-center gap-1.5 font-medium text-sm', look.className)}>
      <Icon size={15} strokeWidth={2.25} aria-hidden className="shrink-0" />
      {isRolledBack ? 'rolled back' : (word ?? (phase === 'reviewing' ? 'your turn' : phase))}
    </span>
  );
}
