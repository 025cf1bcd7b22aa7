import { FilePen, Undo2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import type { Idea } from '../../../shared/proposers/ideas.ts';
import { canRead, proposerLabel } from '../../../shared/proposers/proposers.ts';
import { explain } from '../../app/explain.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Loading, lazyView } from '../../ui/lazy-view.tsx';
import { PathLine } from '../../ui/path-line.tsx';
import {
  changeIdeaDraft,
  clearIdeaDraft,
  editsOf,
  type IdeaDraft,
  useIdeaDraft,
  wordsOf,
} from './idea-draft.ts';
import { IdeaWordsFields } from './idea-words.tsx';

/** Loaded only when the user edits a file. */
const CodeEditor = lazyView(
  () => import('../../viewers/code-editor.tsx').then(file => file.CodeEditor),
  <Loading />,
);

/** Puts the draft into the queue. Rejects with the host's error. */
export async function addIdea(study: string, again: number | null, draft: IdeaDraft): Promise<Idea> {
  const words = wordsOf(draft);
  if (!words) throw new Error('Write the idea first.');
  const idea = await getClient().ideas.add({
    ...{ study, words, again, edits: [...editsOf(draft)] },
    base: again === null ? (draft.opened?.n ?? null) : null,
  });
  clearIdeaDraft(study, again, draft);
  return idea;
}

/** All parts of an idea: its words and, optionally, an edit by the user. */
export function IdeaForm({
  card,
  again,
  leave,
  onLeave,
  onAdded,
}: {
  readonly card: StudyCard;
  /** The experiment to try again; null for a new idea. */
  readonly again: number | null;
  /** The label of the button that leaves the form. */
  readonly leave: string;
  readonly onLeave: () => void;
  readonly onAdded: (idea: Idea) => void;
}) {
  const draft = useIdeaDraft(card.id, again);
  const isOnline = useStore(state => state.connection.kind === 'online');
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const canAdd = isOnline && !isSending && wordsOf(draft) !== null;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!canAdd) return;
    setSending(true);
    setProblem(null);
    try {
      onAdded(await addIdea(card.id, again, draft));
    } catch (error) {
      setProblem(explain(error));
      setSending(false);
    }
  };
  return (
    <form onSubmit={event => void send(event)} className="flex flex-col gap-4">
      <IdeaWordsFields
        metric={card.contract.metric}
        words={draft}
        hasFocus
        onChange={patch => changeIdeaDraft(card.id, again, patch)}
      />
      <Edit card={card} again={again} draft={draft} />
      {problem ? (
        <p role="alert" className="break-words rounded-md bg-crash-soft px-3 py-2 text-crash text-sm">
          {problem}
        </p>
      ) : null}
      <div className="-mx-5 -mb-5 -bottom-5 sticky flex items-center justify-end gap-2 border-line border-t bg-surface px-5 py-3">
        <Button onClick={onLeave}>{leave}</Button>
        <Button kind="primary" type="submit" disabled={!canAdd} title="Ctrl Enter">
          Add to the queue
        </Button>
      </div>
    </form>
  );
}

/** The edit that belongs to the words, if any. */
function Edit({
  card,
  again,
  draft,
}: {
  readonly card: StudyCard;
  readonly again: number | null;
  readonly draft: IdeaDraft;
}) {
  const [problem, setProblem] = useState<string | null>(null);
  const [isReading, setReading] = useState(false);
  const change = (patch: Partial<IdeaDraft>) => changeIdeaDraft(card.id, again, patch);
  const open = async () => {
    setReading(true);
    setProblem(null);
    try {
      change({ opened: await getClient().ideas.files({ study: card.id, n: again }), files: {} });
    } catch (error) {
      setProblem(explain(error));
    }
    setReading(false);
  };
  const { opened } = draft;
  const changed = editsOf(draft).map(({ path }) => path);
  return (
    <section aria-label="Edit" className="flex flex-col gap-2">
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0">
          <h3 className="font-medium text-sm">Edit</h3>
          <p className="text-muted text-xs">{describeEdit(card, again, opened !== null, changed)}</p>
        </div>
        {opened ? (
          <Button size="small" onClick={() => change({ opened: null, files: {} })}>
            <Undo2 size={14} aria-hidden /> {changed.length > 0 ? 'Discard my changes' : 'Without my changes'}
          </Button>
        ) : (
          <Button size="small" disabled={isReading} onClick={() => void open()}>
            <FilePen size={14} aria-hidden /> Edit the files
          </Button>
        )}
      </div>
      {again === null && changed.length === 0 ? <DeafHint card={card} /> : null}
      {problem ? <p className="text-crash text-sm">{problem}</p> : null}
      {opened && opened.files.length === 0 ? (
        <p className="text-sm">No text file here may be changed.</p>
      ) : null}
      {opened && opened.files.length > 0 ? (
        <div className="overflow-hidden rounded-lg border border-line">
          {opened.files.map(({ path, text }) => (
            <FileText
              key={path}
              path={path}
              text={text}
              now={draft.files[path]}
              isOnly={opened.files.length === 1}
              onChange={value => change({ files: { ...draft.files, [path]: value } })}
            />
          ))}
        </div>
      ) : null}
    </section>
  );
}

function describeEdit(
  card: StudyCard,
  again: number | null,
  isOpened: boolean,
  changed: readonly string[],
): string {
  const mine = changed.length > 0 ? `Your changes to ${changed.join(', ')}` : null;
  const merged = 'merged with what was kept since';
  if (again !== null) {
    return mine
      ? `${mine} on top of the edit of #${again}, ${merged} when its turn comes.`
      : `The edit of #${again}, on the best at its turn and ${merged}.`;
  }
  if (mine) return `${mine}, ${merged} when its turn comes.`;
  if (isOpened) return 'Nothing is changed yet, so it is words only.';
  return canRead(card.proposer)
    ? 'Words only: the proposer makes the edit when its turn comes. Or make it yourself.'
    : 'Words only.';
}

/** Says that no proposer can make the edit. */
export function DeafHint({ card }: { readonly card: StudyCard }) {
  if (canRead(card.proposer)) return null;
  return (
    <p className="rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
      This study's proposer ({proposerLabel(card.proposer)}) cannot read. In words only the idea waits for one
      that can; with the edit it is tried.
    </p>
  );
}

function FileText({
  path,
  text,
  now,
  isOnly,
  onChange,
}: {
  readonly path: string;
  readonly text: string;
  readonly now: string | undefined;
  readonly isOnly: boolean;
  readonly onChange: (text: string) => void;
}) {
  return (
    <details open={isOnly} className="border-line border-b last:border-b-0">
      <summary className="flex items-center gap-2 bg-sunken px-3 py-1.5 font-mono text-xs">
        <span className="flex min-w-0" title={path}>
          <PathLine path={path} />
        </span>
        {now !== undefined && now !== text ? (
          <span className="shrink-0 rounded bg-accent-soft px-1.5 font-sans text-accent">changed</span>
        ) : null}
      </summary>
      <div className="h-[max(14rem,40vh)]">
        <CodeEditor path={path} before={text} isWhole label={path} value={now ?? text} onChange={onChange} />
      </div>
    </details>
  );
}
