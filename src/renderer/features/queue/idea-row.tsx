import {
  ArrowDown,
  ArrowUp,
  ArrowUpToLine,
  Bot,
  ChevronRight,
  PenLine,
  SquareTerminal,
  Trash2,
  User,
} from 'lucide-react';
import { type FormEvent, memo, type ReactNode, useState } from 'react';
import type { Contract } from '../../../shared/contract/contract.ts';
import { formatDelta } from '../../../shared/numbers.ts';
import { type Idea, OUTSIDE, YOU } from '../../../shared/proposers/ideas.ts';
import { isBetter } from '../../../shared/study.ts';
import { attempt } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { OneLine } from '../../ui/one-line.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { RowAction } from '../../ui/row-action.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { draftOf, type WordsDraft, wordsOf } from './idea-draft.ts';
import { IdeaWordsFields } from './idea-words.tsx';

/** Where an idea can be moved. */
export type Move = 'up' | 'down' | 'first';

export type IdeaActions = {
  readonly move: (id: number, where: Move) => void;
  /** Folds or unfolds it. */
  readonly toggle: (id: number) => void;
  /** Starts editing its words; null ends it. */
  readonly edit: (id: number | null) => void;
  readonly drop: (id: number) => void;
  /** Makes it the idea that keys apply to. */
  readonly point: (id: number) => void;
};

/** Id of the button that unfolds an idea. */
export function ideaButtonId(id: number): string {
  return `idea-${id}`;
}

type Props = {
  readonly study: string;
  readonly metric: Contract['metric'];
  readonly idea: Idea;
  /** From 1. */
  readonly place: number;
  readonly isLast: boolean;
  /** Whether its turn is next. */
  readonly isNext: boolean;
  /** Whether it is only words, and no proposer of the study can read. */
  readonly isStuck: boolean;
  /** Only one of all ideas is a tab stop. */
  readonly isPointed: boolean;
  readonly isOpen: boolean;
  readonly isEdited: boolean;
  readonly actions: IdeaActions;
};

/** A waiting idea: one or two lines, or everything when unfolded. */
export const IdeaRow = memo(function IdeaRow(props: Props) {
  const { study, metric, idea, place, isNext, isStuck, isPointed, isOpen, isEdited, actions } = props;
  const [isHovered, setHovered] = useState(false);
  if (isEdited) {
    return (
      <li aria-label={idea.hypothesis} className="px-3 py-3">
        <IdeaWordsEditor study={study} metric={metric} idea={idea} onDone={() => actions.edit(null)} />
      </li>
    );
  }
  return (
    <li
      aria-label={idea.hypothesis}
      onFocus={() => actions.point(idea.id)}
      onMouseEnter={() => setHovered(true)}
      onMouseLeave={() => setHovered(false)}
      className="relative flex gap-2 py-2 [contain-intrinsic-size:auto_4rem] [content-visibility:auto] pr-2 pl-1 hover:bg-sunken/60 has-[:focus-visible]:bg-sunken/60 has-[[data-idea]:focus-visible]:outline-2 has-[[data-idea]:focus-visible]:outline-accent has-[[data-idea]:focus-visible]:-outline-offset-2"
    >
      <span className="tabular flex w-9 shrink-0 items-center justify-between self-start pt-px pl-1 text-muted text-sm">
        <ChevronRight
          size={13}
          aria-hidden
          className={classNames('text-faint transition-transform', isOpen && 'rotate-90')}
        />
        {place}
      </span>
      <div className="min-w-0 flex-1">
        <button
          type="button"
          id={ideaButtonId(idea.id)}
          data-idea={idea.id}
          tabIndex={isPointed ? 0 : -1}
          aria-expanded={isOpen}
          onClick={() => actions.toggle(idea.id)}
          className={classNames(
            "max-w-[calc(100%-9.5rem)] text-left font-medium outline-hidden before:absolute before:inset-0 before:content-['']",
            isOpen ? 'block break-words' : 'flex',
          )}
        >
          {isOpen ? idea.hypothesis : <OneLine text={idea.hypothesis} />}
        </button>
        <p className="flex flex-wrap items-center gap-x-2.5 text-muted text-xs">
          {isNext ? (
            <span className="rounded bg-accent-soft px-1.5 font-medium text-accent">next</span>
          ) : null}
          <Author name={idea.author} />
          {idea.predictedEffect === null ? null : (
            <span
              className={classNames('tabular', isBetter(metric.goal, idea.predictedEffect, 0) && 'text-keep')}
              title={`Expected change of ${metric.name}`}
            >
              {formatDelta(idea.predictedEffect)}
            </span>
          )}
          {idea.category ? <span className="max-w-40 truncate">{idea.category}</span> : null}
          {idea.files.length === 0 ? (
            <span className={classNames(isStuck && 'text-warn')}>
              {isStuck ? 'words only; waiting for a proposer that can read' : 'words only'}
            </span>
          ) : (
            <span className="max-w-72 truncate" title={idea.files.join('\n')}>
              changes <span className="font-mono">{idea.files.join(', ')}</span>
            </span>
          )}
          <RelativeTime at={idea.at} />
        </p>
        {idea.rationale ? (
          <p
            className={classNames(
              'mt-1 whitespace-pre-wrap break-words text-sm',
              // Above the button that covers the row, so that the text can be selected and copied.
              isOpen ? 'relative cursor-text' : 'line-clamp-2 text-muted',
            )}
          >
            {idea.rationale}
          </p>
        ) : isOpen ? (
          <p className="mt-1 text-muted text-sm">No reason is given.</p>
        ) : null}
        {isOpen && idea.files.length > 0 ? <IdeaChanges study={study} idea={idea} /> : null}
      </div>
      {isPointed || isHovered ? <Actions {...props} /> : null}
    </li>
  );
});

/** The edit of an idea. */
function IdeaChanges({ study, idea }: { readonly study: string; readonly idea: Idea }) {
  const mode = useStore(state => state.settings.diff);
  const { value, problem } = useCall(`${study}/${idea.id}`, () =>
    getClient().ideas.diff({ study, id: idea.id }),
  );
  if (problem !== null) return <p className="mt-2 text-crash text-sm">{problem}</p>;
  if (value === null) return <p className="mt-2 text-muted text-sm">Reading its changes …</p>;
  return (
    // Above the button that covers the row, like the text.
    <div className="relative mt-2 overflow-hidden rounded-lg border border-line">
      <LazyDiffView
        diff={value.diff}
        isCut={value.isCut}
        mode={mode}
        onMode={diff => void saveSettings({ diff })}
        label={`Changes of the idea: ${idea.hypothesis}`}
      />
    </div>
  );
}

function Actions({ idea, place, isLast, isPointed, actions }: Props) {
  const { id } = idea;
  const act = (label: string, icon: ReactNode, run: () => void, isOff = false, title = label) => (
    <RowAction label={label} title={title} icon={icon} isOff={isOff} isPointed={isPointed} onRun={run} />
  );
  return (
    <div className="absolute top-1 right-1 flex">
      {act('Up', <ArrowUp size={15} aria-hidden />, () => actions.move(id, 'up'), place === 1, 'Up (Alt ↑)')}
      {act(
        'Down',
        <ArrowDown size={15} aria-hidden />,
        () => actions.move(id, 'down'),
        isLast,
        'Down (Alt ↓)',
      )}
      {act(
        'First',
        <ArrowUpToLine size={15} aria-hidden />,
        () => actions.move(id, 'first'),
        place === 1,
        'First (Alt Home)',
      )}
      {act(
        'Edit the words',
        <PenLine size={14} aria-hidden />,
        () => actions.edit(id),
        false,
        'Edit the words (e)',
      )}
      {act('Drop', <Trash2 size={14} aria-hidden />, () => actions.drop(id), false, 'Drop (Delete)')}
    </div>
  );
}

/** The author of an idea. */
export function Author({ name }: { readonly name: string }) {
  const Icon = name === YOU ? User : name === OUTSIDE ? SquareTerminal : Bot;
  return (
    <span
      className="inline-flex min-w-0 items-center gap-1"
      title={name === OUTSIDE ? 'An agent outside the loop' : undefined}
    >
      <Icon size={12} aria-hidden className="shrink-0" />
      <span className="max-w-56 truncate">{name}</span>
    </span>
  );
}

/** Edits the words of an idea in place. */
function IdeaWordsEditor({
  study,
  metric,
  idea,
  onDone,
}: {
  readonly study: string;
  readonly metric: Contract['metric'];
  readonly idea: Idea;
  readonly onDone: () => void;
}) {
  const [words, setWords] = useState<WordsDraft>(() => draftOf(idea));
  const said = wordsOf(words);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!said) return;
    if (await attempt(() => getClient().ideas.say({ study, id: idea.id, words: said }))) onDone();
  };
  return (
    <form aria-label="Words of the idea" onSubmit={event => void save(event)} className="flex flex-col gap-3">
      <IdeaWordsFields
        metric={metric}
        words={words}
        hasFocus
        onChange={patch => setWords(before => ({ ...before, ...patch }))}
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button kind="primary" type="submit" disabled={!said}>
          Save
        </Button>
      </div>
    </form>
  );
}
