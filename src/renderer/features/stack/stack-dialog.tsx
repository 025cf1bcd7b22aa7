import { GitBranchPlus } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatMetric } from '../../../shared/numbers.ts';
import { describeConflicts, type Stack } from '../../../shared/stack.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { toast } from '../../app/toast.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { Problem } from '../../ui/problem.tsx';
import {
  type Arrangement,
  AS_KEPT,
  boxId,
  conflictsOf,
  inOrder,
  knownSteps,
  moveTo,
  onListKey,
  type StackActions,
  toggle,
} from './stack-order.ts';
import { StackRow } from './stack-row.tsx';
import { Take } from './take.tsx';

/** A night's keeps, as commits to choose from, and ways to export them to git. */
export function StackDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const study = card.id;
  const [arrangement, setArrangement] = useState<Arrangement>(AS_KEPT);
  const order = arrangement === AS_KEPT ? null : arrangement;
  const subject = `stack ${study}`;
  const [known, setKnown] = useState<readonly number[]>([]);
  const chosen = order === null ? null : known.filter(n => !order.leftOut.includes(n));
  const version = `${card.tally.finished} ${card.tally.best}`;
  const { value, problem, isLoading } = useCall(
    `${subject} ${version} ${chosen?.join() ?? 'all'}`,
    () => getClient().stack.read({ study, order: chosen && [...chosen] }),
    subject,
  );
  const keeps = useMemo(() => inOrder(value?.keeps ?? [], arrangement), [value, arrangement]);
  const ns = useMemo(() => keeps.map(({ n }) => n), [keeps]);
  const isThere = value !== null;
  // When the dialog opened it had no field yet; with the focus there, Enter makes the branch.
  useEffect(() => {
    if (isThere) document.querySelector<HTMLElement>('[data-branch-name]')?.focus();
  }, [isThere]);
  // The order for the next question, with the same keeps as the last answer.
  if (ns.join() !== known.join()) setKnown(ns);
  return (
    <Dialog
      title={`Take ${card.tag} to Git`}
      description="Each chosen change becomes a commit of yours, from the baseline on. Your checkout stays as it is."
      onClose={onClose}
      isWide
    >
      {!value ? (
        <Loading className="py-8 text-center">{problem ?? 'Reading …'}</Loading>
      ) : (
        <>
          {keeps.length === 0 ? (
            <EmptyState icon={<GitBranchPlus size={22} />} title="Nothing was kept besides the baseline">
              A change that is kept becomes a commit here.
            </EmptyState>
          ) : (
            <Keeps
              card={card}
              stack={value}
              ns={ns}
              arrangement={arrangement}
              isChecking={isLoading}
              onArrange={setArrangement}
            />
          )}
          <Problem className="mt-2">{problem}</Problem>
          <Take
            card={card}
            stack={value}
            order={chosen ?? ns}
            isReady={!isLoading && problem === null}
            onClose={onClose}
          />
        </>
      )}
    </Dialog>
  );
}

function Keeps({
  card,
  stack,
  ns,
  arrangement,
  isChecking,
  onArrange,
}: {
  readonly card: StudyCard;
  readonly stack: Stack;
  /** All of them, in order. */
  readonly ns: readonly number[];
  readonly arrangement: Arrangement;
  readonly isChecking: boolean;
  readonly onArrange: (next: Arrangement) => void;
}) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [pointed, setPointed] = useState<number | null>(null);
  const [notice, setNotice] = useState('');
  /** The element to focus once it is in its new place. */
  const wanted = useRef<number | null>(null);
  const keepOf = useMemo(() => new Map(stack.keeps.map(keep => [keep.n, keep])), [stack]);
  const { leftOut } = arrangement;
  const chosen = ns.filter(n => !leftOut.includes(n));
  const steps = knownSteps(stack.steps, chosen);

  // Moved elements lose the focus.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    document.getElementById(boxId(wanted.current))?.focus();
    wanted.current = null;
  });

  const place = (n: number, to: number) => {
    if (to < 0 || to >= ns.length || ns.indexOf(n) === to || !ns.includes(n)) return;
    wanted.current = n;
    setNotice(`#${n} is now ${to + 1} of ${ns.length}.`);
    onArrange({ order: moveTo(ns, n, to), leftOut });
  };
  const tryWithout = async (n: number | null) => {
    await attempt(async () => {
      const { hypothesis } = await getClient().stack.queue({
        ...{ study: card.id, order: [...chosen], without: n },
      });
      toast.success(`“${hypothesis}” waits in the queue, and will be trained when the study continues.`);
    });
  };
  const latest = useRef({ place, tryWithout, arrangement, ns });
  latest.current = { place, tryWithout, arrangement, ns };
  const actions: StackActions = useMemo(
    () => ({
      move: (n, to) => latest.current.place(n, to),
      drop: (n, before) =>
        latest.current.place(n, before > latest.current.ns.indexOf(n) ? before - 1 : before),
      choose: n => onArrange(toggle(latest.current.arrangement, n)),
      unfold: n =>
        setOpened(before => {
          const next = new Set(before);
          if (!next.delete(n)) next.add(n);
          return next;
        }),
      tryWithout: n => void latest.current.tryWithout(n),
      point: setPointed,
    }),
    [onArrange],
  );
  const stop = ns.includes(pointed ?? -1) ? pointed : ns[0];
  const arrange = (out: readonly number[]) => onArrange({ order: arrangement.order, leftOut: out });
  const unproven = stack.keeps.filter(({ isProven }) => !isProven).map(({ n }) => n);
  return (
    <>
      <div className="mb-1 flex flex-wrap items-center gap-1 text-sm">
        <span className="tabular mr-auto text-muted">
          {chosen.length} of {ns.length} chosen
        </span>
        <Button size="small" kind="quiet" disabled={leftOut.length === 0} onClick={() => arrange([])}>
          All
        </Button>
        <Button
          size="small"
          kind="quiet"
          disabled={unproven.length === ns.length || unproven.length === 0}
          onClick={() => arrange(unproven)}
        >
          Proven only
        </Button>
        <Button
          size="small"
          kind="quiet"
          disabled={arrangement === AS_KEPT}
          onClick={() => onArrange(AS_KEPT)}
        >
          As kept
        </Button>
      </div>
      <p role="status" className="sr-only">
        {notice}
      </p>
      <ol
        aria-label="Commits, the first at the top"
        onKeyDown={event => onListKey(event, ns, actions)}
        className="max-h-[max(6rem,calc(80vh-24rem))] divide-y divide-line overflow-y-auto border-line border-y"
      >
        {ns.map((n, index) => {
          const keep = keepOf.get(n);
          return keep ? (
            <StackRow
              key={n}
              study={card.id}
              metric={card.contract.metric.name}
              keep={keep}
              place={index}
              isLast={index === ns.length - 1}
              isChosen={!leftOut.includes(n)}
              step={steps.get(n) ?? null}
              isPointed={n === stop}
              isOpen={opened.has(n)}
              actions={actions}
            />
          ) : null;
        })}
      </ol>
      <Outcome
        card={card}
        stack={stack}
        isChecking={isChecking}
        onLeaveOut={out => arrange([...leftOut, ...out])}
        onTry={() => void tryWithout(null)}
      />
    </>
  );
}

/** The result of the whole stack. */
function Outcome({
  card,
  stack: { steps, measured },
  isChecking,
  onLeaveOut,
  onTry,
}: {
  readonly card: StudyCard;
  readonly stack: Stack;
  readonly isChecking: boolean;
  readonly onLeaveOut: (ns: readonly number[]) => void;
  readonly onTry: () => void;
}) {
  const conflicts = describeConflicts(steps);
  const { name } = card.contract.metric;
  return (
    <div className="flex min-h-11 items-center justify-between gap-4 py-1.5 text-sm" data-testid="outcome">
      {isChecking ? (
        <span className="text-muted">Checking …</span>
      ) : conflicts ? (
        <>
          <span role="alert" className="line-clamp-2 text-crash" title={conflicts}>
            {conflicts}
          </span>
          <Button size="small" onClick={() => onLeaveOut(conflictsOf(steps))}>
            Leave out what conflicts
          </Button>
        </>
      ) : steps.length === 0 ? (
        <span className="text-muted">Nothing is chosen.</span>
      ) : measured ? (
        <span>
          Exactly this was measured as #{measured.n}:{' '}
          <span className="tabular font-medium">
            {name} {formatMetric(measured.record.mean)}
          </span>
          {measured.record.runs > 1 ? (
            <span className="text-muted"> (mean of {measured.record.runs} runs)</span>
          ) : null}
        </span>
      ) : (
        <>
          <span className="text-warn">This combination was not measured as a whole.</span>
          <Button size="small" onClick={onTry}>
            Add it to the queue
          </Button>
        </>
      )}
    </div>
  );
}
