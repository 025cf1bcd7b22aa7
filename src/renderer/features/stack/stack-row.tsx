import {
  ArrowDown,
  ArrowUp,
  Check,
  ChevronRight,
  CircleDashed,
  CircleMinus,
  FlaskConical,
  GripVertical,
  type LucideIcon,
  TriangleAlert,
} from 'lucide-react';
import { type DragEvent, memo, type ReactNode, useState } from 'react';
import { certaintyOf } from '../../../shared/debrief/describe-debrief.ts';
import { formatDelta, formatMetric } from '../../../shared/numbers.ts';
import type { StackKeep, StackStep } from '../../../shared/stack.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { classNames } from '../../ui/class-names.ts';
import { OneLine } from '../../ui/one-line.tsx';
import { RowAction } from '../../ui/row-action.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { LineCounts } from '../../viewers/line-counts.tsx';
import { boxId, type StackActions } from './stack-order.ts';

type Props = {
  readonly study: string;
  readonly metric: string;
  readonly keep: StackKeep;
  /** From 0. */
  readonly place: number;
  readonly isLast: boolean;
  readonly isChosen: boolean;
  /** Its outcome; null while that is being computed. */
  readonly step: StackStep | null;
  /** Only one of all keeps is a tab stop. */
  readonly isPointed: boolean;
  readonly isOpen: boolean;
  readonly actions: StackActions;
};

/** One keep: whether it is chosen, its position, and its outcome there. */
export const StackRow = memo(function StackRow(props: Props) {
  const { study, metric, keep, place, isChosen, step, isPointed, isOpen, actions } = props;
  const { n, hypothesis, gain, record } = keep;
  const [isHovered, setHovered] = useState(false);
  const [edge, setEdge] = useState<'above' | 'below' | null>(null);
  const drop = (event: DragEvent) => {
    const dragged = Number(event.dataTransfer.getData(DRAGGED));
    setEdge(null);
    event.preventDefault();
    actions.drop(dragged, edge === 'below' ? place + 1 : place);
  };
  return (
    <li
      aria-label={`#${n} ${hypothesis}`}
      onFocus={() => actions.point(n)}
      onMouseEnter={() => setHovered(true)}
      onMouseLeave={() => setHovered(false)}
      onDragOver={event => {
        if (!event.dataTransfer.types.includes(DRAGGED)) return;
        event.preventDefault();
        const { top, height } = event.currentTarget.getBoundingClientRect();
        setEdge(event.clientY > top + height / 2 ? 'below' : 'above');
      }}
      onDragLeave={() => setEdge(null)}
      onDrop={drop}
      className={classNames(
        'hover:bg-sunken/60 has-[[data-keep]:focus-visible]:bg-sunken/60',
        edge === 'above' && 'shadow-[inset_0_2px_0_var(--accent)]',
        edge === 'below' && 'shadow-[inset_0_-2px_0_var(--accent)]',
      )}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: what is dragged by the pointer is moved by keys too. */}
      <div
        draggable
        onDragStart={event => event.dataTransfer.setData(DRAGGED, String(n))}
        className="flex items-center gap-2 py-1.5 pr-2"
      >
        <GripVertical size={14} aria-hidden className="shrink-0 cursor-grab text-faint" />
        <input
          type="checkbox"
          id={boxId(n)}
          data-keep={n}
          aria-label={`Take #${n}: ${hypothesis}`}
          tabIndex={isPointed ? 0 : -1}
          checked={isChosen}
          onChange={() => actions.choose(n)}
          className="size-4 shrink-0 accent-accent"
        />
        <button
          type="button"
          aria-expanded={isOpen}
          aria-label={`Changes of #${n}`}
          tabIndex={isPointed ? 0 : -1}
          onClick={() => actions.unfold(n)}
          className="inline-flex size-6 shrink-0 items-center justify-center rounded text-faint hover:bg-sunken hover:text-ink"
        >
          <ChevronRight
            size={14}
            aria-hidden
            className={classNames('transition-transform', isOpen && 'rotate-90')}
          />
        </button>
        <label htmlFor={boxId(n)} className="min-w-0 flex-1">
          <span className={classNames('flex gap-1.5', isChosen ? 'font-medium' : 'text-muted')}>
            <span className="tabular shrink-0 font-normal text-muted">#{n}</span>
            <span className="flex min-w-0">
              <OneLine text={hypothesis} />
            </span>
          </span>
          <span className="flex flex-wrap items-center gap-x-2.5 text-muted text-xs">
            <StateMark isChosen={isChosen} step={step} n={n} />
            <span className={classNames(keep.isProven && 'text-keep')}>{certaintyOf(keep)}</span>
            <LineCounts added={keep.added} removed={keep.removed} />
          </span>
        </label>
        <span className="tabular shrink-0 text-right text-sm">
          <span className={classNames('block font-medium', (gain ?? 0) > 0 ? 'text-keep' : 'text-muted')}>
            {formatDelta(gain)}
          </span>
          <span className="block text-muted text-xs" title={`${metric} with this change, when it was found`}>
            {formatMetric(record?.mean)}
          </span>
        </span>
        <span className="flex w-21 shrink-0 justify-end">
          {isPointed || isHovered ? <Actions {...props} /> : null}
        </span>
      </div>
      {isOpen ? <Changes study={study} keep={keep} /> : null}
    </li>
  );
});

/** The data type of a dragged keep: nothing else can be dropped here. */
const DRAGGED = 'application/x-pawl-keep';

function Actions({ keep: { n }, place, isLast, isChosen, isPointed, actions }: Props) {
  const act = (label: string, icon: ReactNode, run: () => void, isOff: boolean, title = label) => (
    <RowAction
      label={`${label} #${n}`}
      title={title}
      icon={icon}
      isOff={isOff}
      isPointed={isPointed}
      onRun={run}
    />
  );
  return (
    <>
      {act(
        'Up',
        <ArrowUp size={15} aria-hidden />,
        () => actions.move(n, place - 1),
        place === 0,
        'Up (Alt ↑)',
      )}
      {act(
        'Down',
        <ArrowDown size={15} aria-hidden />,
        () => actions.move(n, place + 1),
        isLast,
        'Down (Alt ↓)',
      )}
      {act(
        'Try without',
        <FlaskConical size={14} aria-hidden />,
        () => actions.tryWithout(n),
        !isChosen,
        'Try without it: add the stack without this one to the queue of ideas',
      )}
    </>
  );
}

/** A keep's outcome as icon and words. */
function StateMark({
  isChosen,
  step,
  n,
}: {
  readonly isChosen: boolean;
  readonly step: StackStep | null;
  readonly n: number;
}) {
  const { icon: Icon, words, className, title } = isChosen ? lookOf(step, n) : LEFT_OUT;
  return (
    <span className={classNames('inline-flex min-w-0 items-center gap-1', className)} title={title}>
      <Icon size={12} aria-hidden className="shrink-0" />
      <span className="truncate">{words}</span>
    </span>
  );
}

type Look = {
  readonly icon: LucideIcon;
  readonly words: string;
  readonly className: string;
  readonly title: string;
};

const LEFT_OUT: Look = {
  icon: CircleMinus,
  words: 'left out',
  className: 'text-muted',
  title: 'Not part of the stack',
};

function lookOf(step: StackStep | null, n: number): Look {
  switch (step?.state) {
    case undefined:
      return { icon: CircleDashed, words: 'checking …', className: 'text-muted', title: '' };
    case 'measured':
      return {
        icon: Check,
        words: step.by.n === n ? 'measured' : `measured as #${step.by.n}`,
        className: 'text-keep',
        title: `Experiment ${step.by.n} has exactly the code up to here: ${formatMetric(step.by.record.mean)}`,
      };
    case 'untested':
      return {
        icon: CircleDashed,
        words: 'untested',
        className: 'text-warn',
        title: 'No experiment has exactly the code up to here',
      };
    case 'empty':
      return {
        icon: CircleMinus,
        words: 'changes nothing here',
        className: 'text-muted',
        title: 'The code already contains this change, so it is left out',
      };
    case 'conflict':
      return {
        icon: TriangleAlert,
        words: `conflict in ${step.files.join(', ')}`,
        className: 'font-medium text-crash',
        title: 'It changes lines that are different here',
      };
    default:
      return step satisfies never;
  }
}

/** Its own diff, as it was measured. */
function Changes({ study, keep: { n, rationale } }: { readonly study: string; readonly keep: StackKeep }) {
  const mode = useStore(state => state.settings.diff);
  const { value, problem } = useCall(`diff ${study} ${n}`, () => getClient().experiments.diff({ study, n }));
  return (
    <div className="mr-2 mb-2 ml-15">
      {rationale ? <p className="mb-2 whitespace-pre-wrap break-words text-sm">{rationale}</p> : null}
      {problem ? <p className="text-crash text-sm">{problem}</p> : null}
      {!value && !problem ? (
        <p role="status" className="text-muted text-sm">
          Reading its changes …
        </p>
      ) : null}
      {value ? (
        <div className="max-h-80 overflow-y-auto rounded-lg border border-line bg-surface">
          <LazyDiffView
            diff={value.diff}
            isCut={value.isCut}
            mode={mode}
            onMode={diff => void saveSettings({ diff })}
            label={`Changes of experiment ${n}`}
          />
        </div>
      ) : null}
    </div>
  );
}
