import { CircleDashed, CircleHelp, CirclePause, Undo2 } from 'lucide-react';
import { isLeft, type Phase, phaseWord } from '../../shared/phases.ts';
import type { VerdictWord } from '../../shared/study.ts';
import { classNames } from './class-names.ts';

const LOOKS = {
  keep: { mark: 'M4 12.5 9.5 18 20 6.5', className: 'text-keep' },
  discard: { mark: 'M5 12h14', className: 'text-discard' },
  crash: { mark: 'M6 6l12 12M18 6 6 18', className: 'text-crash' },
  other: { icon: CircleHelp, className: 'text-muted' },
} as const;

/** An experiment's verdict as icon and word, or its phase until there is one; colour only repeats it. */
export function VerdictBadge({
  word,
  phase,
  isRolledBack = false,
}: {
  readonly word: VerdictWord | null;
  readonly phase?: Phase;
  /** Whether it was kept and then taken back. */
  readonly isRolledBack?: boolean;
}) {
  const isHeld = isLeft(phase) || phase === 'reviewing';
  const look = isRolledBack
    ? { icon: Undo2, className: 'text-warn' }
    : word
      ? LOOKS[word]
      : {
          icon: isHeld ? CirclePause : CircleDashed,
          className: isHeld ? 'text-warn' : 'text-accent',
        };
  return (
    <span className={classNames('inline-flex items-center gap-1.5 font-medium text-sm', look.className)}>
      {'mark' in look ? (
        <Mark path={look.mark} />
      ) : (
        <look.icon size={15} strokeWidth={2.25} aria-hidden className="shrink-0" />
      )}
      {isRolledBack
        ? 'rolled back'
        : (word ?? (phase === 'reviewing' ? 'your turn' : phase && phaseWord(phase)))}
    </span>
  );
}

/** One path per verdict: while a table scrolls, only the path changes and no element is created. */
function Mark({ path }: { readonly path: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={15}
      height={15}
      fill="none"
      stroke="currentColor"
      strokeWidth={2.25}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
      className="shrink-0"
    >
      <path d={path} />
    </svg>
  );
}
