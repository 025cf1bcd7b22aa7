import { X } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import type { ExperimentDetail } from '../../../shared/notebook.ts';
import { attempt } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { TextArea, TextInput } from '../../ui/field.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';

/** The user's notes and tags for an experiment. */
export function NotesAndTags({
  study,
  detail,
}: {
  readonly study: string;
  readonly detail: ExperimentDetail;
}) {
  const { n } = detail.cell;
  // From the current cell: the details are not read again for a tag, and the next tag is added to these.
  const tags = useStore(state => state.notebook?.cells[n]?.tags ?? detail.cell.tags);
  const [note, setNote] = useState('');
  const [tag, setTag] = useState('');
  // Those on their way to the host; null once it has them.
  const sent = useRef<readonly string[] | null>(null);
  const saveTags = async (change: (tags: readonly string[]) => readonly string[]) => {
    const next = change(sent.current ?? tags);
    sent.current = next;
    const isSaved = await attempt(() => getClient().experiments.setTags({ study, n, tags: [...next] }));
    if (sent.current === next) sent.current = null;
    return isSaved;
  };
  const addNote = async (event: FormEvent) => {
    event.preventDefault();
    if (note.trim() === '') return;
    const isAdded = await attempt(() => getClient().experiments.addNote({ study, n, text: note }));
    // What was typed since then stays.
    if (isAdded) setNote(now => (now === note ? '' : now));
  };
  const addTag = async (event: FormEvent) => {
    event.preventDefault();
    if (tag.trim() === '' || tags.includes(tag.trim())) return setTag('');
    if (await saveTags(known => [...known, tag.trim()])) setTag(now => (now === tag ? '' : now));
  };
  return (
    <section aria-label="Notes and tags">
      <h4 className="mb-1 font-medium text-muted text-xs">Notes and tags</h4>
      <ul className="flex flex-col gap-1.5">
        {detail.notes.map(written => (
          <li key={`${written.at}${written.text}`} className="rounded-md bg-sunken px-3 py-2 text-sm">
            <p className="whitespace-pre-wrap break-words">{written.text}</p>
            <p className="text-muted text-xs">
              <RelativeTime at={written.at} />
            </p>
          </li>
        ))}
      </ul>
      <form onSubmit={event => void addNote(event)} className="mt-2 flex items-end gap-2">
        <TextArea
          aria-label={`Note on experiment ${n}`}
          placeholder="Your notes …"
          rows={1}
          value={note}
          onChange={event => setNote(event.target.value)}
        />
        <Button type="submit" disabled={note.trim() === ''}>
          Add note
        </Button>
      </form>
      <div className="mt-2 flex flex-wrap items-center gap-1.5">
        {tags.map(name => (
          <span
            key={name}
            className="inline-flex items-center gap-1 rounded bg-accent-soft py-0.5 pr-1 pl-2 text-accent text-xs"
          >
            {name}
            <button
              type="button"
              aria-label={`Remove tag ${name}`}
              onClick={() => void saveTags(known => known.filter(other => other !== name))}
              className="rounded p-0.5 hover:bg-surface"
            >
              <X size={11} aria-hidden />
            </button>
          </span>
        ))}
        <form onSubmit={event => void addTag(event)}>
          <TextInput
            aria-label={`Tag experiment ${n}`}
            placeholder="Add a tag"
            maxLength={40}
            value={tag}
            onChange={event => setTag(event.target.value)}
            className="h-6 w-28 text-xs"
          />
        </form>
      </div>
    </section>
  );
}
