import { expectedEnd } from '../../../shared/expected-end.ts';
import { describeInFlight, nextToEnd } from '../../../shared/in-flight.ts';
import type { CurrentExperiment, StudyCard } from '../../../shared/notebook.ts';
import { formatClock, formatDayTime } from '../../../shared/numbers.ts';
import type { Phase } from '../../../shared/phases.ts';
import { useStore } from '../../app/store.ts';
import { OneLine } from '../../ui/one-line.tsx';
import { BEAT_MS, useNow } from '../../ui/use-now.ts';

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  proposing: 'Waiting for a proposal',
  reviewing: 'Waiting for your approval',
  applying: 'Committing',
  attempted: 'About to train',
  training: 'Training',
  measuring: 'Measuring',
  deciding: 'Deciding',
  recorded: 'Recorded',
  interrupted: 'Interrupted',
  put_off: 'Put off',
};

export function phaseWords(phase: Phase): string {
  return PHASE_WORDS[phase];
}

/** Seconds that a run has trained, and the share of its budget; null if nothing is training. */
export function useRunClock(card: StudyCard): { readonly seconds: number; readonly share: number } | null {
  const tick = useNow(BEAT_MS);
  const connection = useStore(state => state.connection);
  // Without a connection the clock stops, because it is unknown whether the run continues.
  const now = connection.kind === 'offline' ? connection.since : tick;
  const run = card.current?.run;
  if (!run || card.current?.phase !== 'training') return null;
  const seconds = Math.max(0, (now - run.startedAt) / 1000);
  return { seconds, share: seconds / card.contract.budget.seconds };
}

/**
 * One line: number, phase, clock and budget, hypothesis; with several experiments, how many are training, and the one
 * that ends first.
 */
export function NowRunning({ card: whole }: { readonly card: StudyCard }) {
  const several = describeInFlight(whole);
  const card = several === null ? whole : { ...whole, current: nextToEnd(whole) ?? whole.current };
  const clock = useRunClock(card);
  const { current } = card;
  if (card.state === 'paused') {
    return <p className="text-sm text-warn">Paused. Nothing trains until you continue.</p>;
  }
  if (card.isStarting) return <p className="text-muted text-sm">Starting …</p>;
  if (!current) return <p className="text-muted text-sm">Getting ready …</p>;
  const which = several === null ? 'this one' : 'these';
  const wish =
    current.wish === null ? null : `${current.wish === 'pause' ? 'pauses' : 'stops'} after ${which}`;
  return (
    <div>
      {/* Words that do not fit wrap to a hidden second line, so that no word is cut to a letter. */}
      <p className="flex h-5 flex-wrap items-baseline gap-x-2 overflow-hidden text-sm">
        {several === null ? null : <span className="tabular shrink-0 font-medium">{several}</span>}
        <span className="tabular shrink-0 font-medium text-accent">
          {several === null ? placeOf(card, current) : `#${current.n}`}
        </span>
        <span className="shrink-0 text-muted">
          {several !== null && clock ? 'ends first' : phaseWords(current.phase)}
        </span>
        {clock ? (
          <span className="tabular shrink-0">
            {formatClock(clock.seconds)} / {formatClock(card.contract.budget.seconds)}
          </span>
        ) : null}
        {wish ? (
          <span className="shrink-0 rounded bg-warn-soft px-1.5 text-warn text-xs">{wish}</span>
        ) : (
          <ExpectedEnd card={card} />
        )}
        <span className="flex min-w-44 flex-1" title={current.hypothesis ?? undefined}>
          <OneLine text={current.hypothesis ?? ''} />
        </span>
      </p>
      <BudgetBar share={clock?.share ?? 0} />
    </div>
  );
}

/** The experiment's number and, if a stop rule limits it, the total. */
function placeOf({ stop }: StudyCard, { n }: CurrentExperiment): string {
  // The baseline does not count towards the limit, and a repeated experiment may be older than the rule.
  return stop.experiments === undefined || n === 0 || n > stop.experiments
    ? `#${n}`
    : `#${n} of ${stop.experiments}`;
}

function ExpectedEnd({ card }: { readonly card: StudyCard }) {
  const now = useNow(10_000);
  const end = expectedEnd(card, now);
  if (!end) return null;
  const at = formatDayTime(end.at, now);
  return (
    <span
      className="tabular shrink-0 text-muted"
      title={
        end.by === 'deadline'
          ? 'Its deadline comes then.'
          : 'An estimate from the experiments of this sitting; a target, or many experiments without a gain, may end it earlier.'
      }
    >
      {end.by === 'deadline' ? `ends by ${at}` : `ends about ${at}`}
    </span>
  );
}

/** The used share of a run's budget; beyond it the bar stays full and changes its colour. */
export function BudgetBar({ share }: { readonly share: number }) {
  return (
    <div
      role="progressbar"
      aria-label="Share of the training budget"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(100, Math.round(share * 100))}
      className="mt-1.5 h-1 max-w-xl overflow-hidden rounded-full bg-line"
    >
      <div
        className={share > 1 ? 'h-full bg-warn' : 'h-full bg-accent'}
        style={{ width: `${Math.min(100, share * 100)}%` }}
      />
    </div>
  );
}
