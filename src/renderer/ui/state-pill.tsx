import {
  CircleCheck,
  CirclePause,
  CircleStop,
  FileInput,
  LoaderCircle,
  TriangleAlert,
  UserCheck,
} from 'lucide-react';
import type { StudyCard } from '../../shared/notebook.ts';
import { classNames } from './class-names.ts';

/** Stop reasons that need attention. */
const TROUBLE: ReadonlySet<string> = new Set(['error', 'proposer', 'baseline_failed', 'crashes']);

const LOOKS = {
  starting: { icon: LoaderCircle, word: 'Starting …', className: 'bg-accent-soft text-accent' },
  running: { icon: LoaderCircle, word: 'Running', className: 'bg-accent-soft text-accent' },
  waiting: { icon: UserCheck, word: 'Waiting for you', className: 'bg-warn-soft text-warn' },
  paused: { icon: CirclePause, word: 'Paused', className: 'bg-warn-soft text-warn' },
  trouble: { icon: TriangleAlert, word: 'Needs attention', className: 'bg-crash-soft text-crash' },
  stopped: { icon: CircleStop, word: 'Stopped', className: 'bg-sunken text-muted' },
  ended: { icon: CircleCheck, word: 'Ended', className: 'bg-sunken text-muted' },
  ready: { icon: CircleStop, word: 'Not started', className: 'bg-sunken text-muted' },
  imported: { icon: FileInput, word: 'Imported', className: 'bg-sunken text-muted' },
} as const;

function lookOf({ state, stopReason, current, isStarting }: StudyCard): keyof typeof LOOKS {
  if (isStarting) return 'starting';
  if (state === 'running' && current?.phase === 'reviewing') return 'waiting';
  if (state !== 'stopped') return state;
  if (stopReason && TROUBLE.has(stopReason)) return 'trouble';
  return stopReason === 'user' || stopReason === null ? 'stopped' : 'ended';
}

/** A study's state as icon and word. */
export function StatePill({ card, isSmall }: { readonly card: StudyCard; readonly isSmall?: boolean }) {
  const { icon: Icon, word, className } = LOOKS[lookOf(card)];
  return (
    <span
      className={classNames(
        'inline-flex items-center gap-1.5 whitespace-nowrap rounded-full font-medium',
        isSmall ? 'px-1.5 py-0.5 text-xs' : 'px-2.5 py-1 text-sm',
        className,
      )}
    >
      <Icon size={isSmall ? 12 : 14} aria-hidden />
      {word}
    </span>
  );
}
