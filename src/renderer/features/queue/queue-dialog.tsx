import { ListOrdered } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { type Idea, MAX_HYPOTHESIS } from '../../../shared/proposers/ideas.ts';
import { canRead } from '../../../shared/proposers/proposers.ts';
import { attempt } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { toast } from '../../app/toast.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { IdeaComposer } from './idea-composer.tsx';
import { beginIdeaDraft, draftOf } from './idea-draft.ts';
import { IdeaForm } from './idea-form.tsx';
import { PastIdeas } from './idea-past.tsx';
import { type IdeaActions, IdeaRow, ideaButtonId, type Move } from './idea-row.tsx';
import { inOrder, nextOf, onListKey } from './queue-order.ts';

/** Waiting ideas, the outcomes of earlier ones, and a form for a new one. */
export function QueueDialog({
  card,
  again,
  onClose,
}: {
  readonly card: StudyCard;
  /** The experiment to try again; null shows the queue. */
  readonly again: number | null;
  readonly onClose: () => void;
}) {
  return again === null ? (
    <Queue card={card} onClose={onClose} />
  ) : (
    <TryAgain card={card} again={again} onClose={onClose} />
  );
}

function TryAgain({
  card,
  again,
  onClose,
}: {
  readonly card: StudyCard;
  readonly again: number;
  readonly onClose: () => void;
}) {
  const cell = useStore(state => state.notebook?.cells[again]);
  const [isBegun, setBegun] = useState(false);
  useEffect(() => {
    if (cell) {
      const hypothesis = `${cell.hypothesis ?? `Experiment ${again}`}`.slice(0, MAX_HYPOTHESIS - 7);
      beginIdeaDraft(card.id, again, {
        ...draftOf({ ...cell, hypothesis: `${hypothesis}, again`, rationale: null }),
      });
    }
    setBegun(true);
  }, [cell, card.id, again]);
  return (
    <Dialog
      title={`Try #${again} again`}
      description="The same edit, on the best at that time; you can add your own changes on top."
      onClose={onClose}
      isWide
    >
      {isBegun ? (
        <IdeaForm
          card={card}
          again={again}
          leave="Cancel"
          onLeave={onClose}
          onAdded={() => {
            onClose();
            toast.success(`Another try of #${again} waits in the queue.`);
          }}
        />
      ) : null}
    </Dialog>
  );
}

function Queue({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const [isWriting, setWriting] = useState(false);
  const [editing, setEditing] = useState<number | null>(null);
  /** The element to focus once it exists. */
  const wanted = useRef<number | null>(null);
  const reads = canRead(card.proposer);
  const description = isWriting
    ? 'Its turn comes after the ideas that already wait.'
    : reads
      ? "Edits are tried first, in this order; then your words go to the proposer. A proposer's own ideas wait until one picks them."
      : "Edits are tried in this order, before the proposer's own proposals.";
  return (
    <Dialog
      title={isWriting ? `An idea for ${card.tag}` : `Queue of ${card.tag}`}
      description={description}
      onClose={onClose}
      onEscape={() => {
        if (!isWriting && editing === null) return false;
        wanted.current = editing;
        setWriting(false);
        setEditing(null);
        return true;
      }}
      isWide
    >
      {isWriting ? (
        <IdeaForm
          card={card}
          again={null}
          leave="Back to the queue"
          onLeave={() => setWriting(false)}
          onAdded={({ id }) => {
            wanted.current = id;
            setWriting(false);
          }}
        />
      ) : (
        <Waiting
          card={card}
          editing={editing}
          onEdit={setEditing}
          onWrite={() => setWriting(true)}
          wanted={wanted}
        />
      )}
    </Dialog>
  );
}

type Notice = { readonly text: string; readonly dropped: Dropped | null };
/** With the order before it was dropped. */
type Dropped = { readonly idea: Idea; readonly ids: readonly number[] };

function Waiting({
  card,
  editing,
  onEdit,
  onWrite,
  wanted,
}: {
  readonly card: StudyCard;
  readonly editing: number | null;
  readonly onEdit: (id: number | null) => void;
  readonly onWrite: () => void;
  readonly wanted: { current: number | null };
}) {
  const study = card.id;
  const subject = `ideas ${study}`;
  const { value, problem, again } = useCall(
    `${subject} ${card.ideas.version}`,
    () => getClient().ideas.list({ study }),
    subject,
  );
  /** The user's new order, until the host confirms it. */
  const [order, setOrder] = useState<readonly number[] | null>(null);
  const sending = useRef(0);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const [pointed, setPointed] = useState<number | null>(null);
  const [notice, setNotice] = useState<Notice | null>(null);
  const ideas = useMemo(() => inOrder(value?.waiting ?? [], order), [value, order]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what the host tells replaces what was expected of it.
  useEffect(() => {
    if (sending.current === 0) setOrder(null);
  }, [value]);
  // Moved elements lose the focus, and new ones appear later.
  useLayoutEffect(() => {
    if (wanted.current === null || editing !== null) return;
    const button = document.getElementById(ideaButtonId(wanted.current));
    if (!button) return;
    wanted.current = null;
    button.focus();
    button.scrollIntoView({ block: 'nearest' });
  });

  const put = async (ids: readonly number[]) => {
    setOrder(ids);
    sending.current += 1;
    const isDone = await attempt(() => getClient().ideas.order({ study, ids: [...ids] }));
    sending.current -= 1;
    if (!isDone) setOrder(null);
  };
  const move = (id: number, where: Move) => {
    const ids = ideas.map(idea => idea.id);
    const from = ids.indexOf(id);
    const to = where === 'first' ? 0 : from + (where === 'up' ? -1 : 1);
    if (from < 0 || to < 0 || to >= ids.length || to === from) return;
    ids.splice(to, 0, ...ids.splice(from, 1));
    wanted.current = id;
    setNotice({ text: `“${ideas[from]?.hypothesis}” is now ${to + 1} of ${ids.length}.`, dropped: null });
    void put(ids);
  };
  const drop = async (id: number) => {
    const at = ideas.findIndex(idea => idea.id === id);
    const idea = ideas[at];
    if (!idea) return;
    if (!(await attempt(() => getClient().ideas.drop({ study, id })))) return;
    wanted.current = (ideas[at + 1] ?? ideas[at - 1])?.id ?? null;
    if (wanted.current === null) document.getElementById('new-idea')?.focus();
    setNotice({
      text: `Dropped “${idea.hypothesis}”.`,
      dropped: { idea, ids: ideas.map(other => other.id) },
    });
  };
  /** Back to its old position. */
  const restore = async (id: number, ids: readonly number[] | null) => {
    setNotice(null);
    const isBack = await attempt(async () => {
      await getClient().ideas.restore({ study, id });
      if (ids) await getClient().ideas.order({ study, ids: [...ids] });
    });
    if (isBack) wanted.current = id;
  };
  const edit = (id: number | null) => {
    if (id === null) wanted.current = editing;
    onEdit(id);
  };
  useEffect(() => {
    if (!value || editing === null || value.waiting.some(({ id }) => id === editing)) return;
    onEdit(null);
    toast.info('This idea is no longer waiting: its turn has come, or it was dropped.');
  }, [value, editing, onEdit]);
  const latest = useRef({ move, drop, edit });
  latest.current = { move, drop, edit };
  const actions: IdeaActions = useMemo(
    () => ({
      move: (id, where) => latest.current.move(id, where),
      toggle: id =>
        setOpened(before => {
          const next = new Set(before);
          if (!next.delete(id)) next.add(id);
          return next;
        }),
      edit: id => latest.current.edit(id),
      drop: id => void latest.current.drop(id),
      point: setPointed,
    }),
    [],
  );
  const stop = ideas.some(({ id }) => id === pointed) ? pointed : ideas[0]?.id;
  const isDeaf = !canRead(card.proposer);
  const next = nextOf(ideas, isDeaf);
  const { dropped } = notice ?? { dropped: null };
  return (
    <>
      <IdeaComposer
        card={card}
        onWrite={onWrite}
        onAdded={({ id }) => {
          wanted.current = id;
        }}
      />
      <p role="status" className="sr-only">
        {notice?.text}
      </p>
      {!value ? (
        <Loading className="py-8 text-center">{problem ?? 'Reading …'}</Loading>
      ) : ideas.length === 0 ? (
        <Empty />
      ) : (
        <ol
          aria-label="Waiting ideas"
          onKeyDown={event => onListKey(event, ideas, actions)}
          className="mt-3 divide-y divide-line border-line border-y"
        >
          {ideas.map((idea, index) => (
            <IdeaRow
              key={idea.id}
              study={study}
              metric={card.contract.metric}
              idea={idea}
              place={index + 1}
              isLast={index === ideas.length - 1}
              isNext={idea.id === next}
              isStuck={isDeaf && idea.files.length === 0}
              isPointed={idea.id === stop}
              isOpen={opened.has(idea.id)}
              isEdited={idea.id === editing}
              actions={actions}
            />
          ))}
        </ol>
      )}
      {value && problem ? (
        <p className="mt-2 text-crash text-sm">
          {problem}{' '}
          <button type="button" className="underline" onClick={again}>
            Try again
          </button>
        </p>
      ) : null}
      {value ? <PastIdeas card={card} past={value.past} onRestore={id => void restore(id, null)} /> : null}
      {dropped ? (
        <div className="sticky bottom-0 mt-3 flex items-center justify-between gap-4 rounded-lg border border-line bg-surface px-3 py-2 text-sm shadow-float">
          <span className="min-w-0 truncate">Dropped “{dropped.idea.hypothesis}”</span>
          <span className="flex shrink-0 gap-1">
            <Button size="small" onClick={() => void restore(dropped.idea.id, dropped.ids)}>
              Undo
            </Button>
            <Button size="small" kind="quiet" onClick={() => setNotice(null)}>
              Hide
            </Button>
          </span>
        </div>
      ) : null}
    </>
  );
}

function Empty() {
  return (
    <EmptyState icon={<ListOrdered size={22} />} title="Nothing waits">
      Write above what should be tried next. It waits here with what comes from{' '}
      <code className="whitespace-nowrap font-mono">pawl propose</code> in a terminal, and with what a model
      thinks of besides the idea it tries.
    </EmptyState>
  );
}
