import { type FormEvent, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { type Idea, MAX_HYPOTHESIS } from '../../../shared/proposers/ideas.ts';
import { attempt } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { Button } from '../../ui/button.tsx';
import { TextInput } from '../../ui/field.tsx';
import {
  changeIdeaDraft,
  editsOf,
  hasIdeaDraft,
  type IdeaDraft,
  useIdeaDraft,
  wordsOf,
} from './idea-draft.ts';
import { addIdea, DeafHint } from './idea-form.tsx';

/** A line for an idea in words; a form has its other fields. */
export function IdeaComposer({
  card,
  onWrite,
  onAdded,
}: {
  readonly card: StudyCard;
  readonly onWrite: () => void;
  readonly onAdded: (idea: Idea) => void;
}) {
  const draft = useIdeaDraft(card.id, null);
  const isOnline = useStore(state => state.connection.kind === 'online');
  const [isSending, setSending] = useState(false);
  const canAdd = isOnline && !isSending && wordsOf(draft) !== null;
  const more = describeMore(draft);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!canAdd) return;
    setSending(true);
    await attempt(async () => {
      const idea = await addIdea(card.id, null, draft);
      // The focus stays with a user who writes the next one already.
      if (!hasIdeaDraft(card.id, null)) onAdded(idea);
    });
    setSending(false);
  };
  return (
    <form onSubmit={event => void send(event)} className="flex flex-col gap-2">
      <div className="flex gap-2">
        <TextInput
          id="new-idea"
          aria-label="New idea"
          placeholder="What should be tried?"
          maxLength={MAX_HYPOTHESIS}
          spellCheck
          value={draft.hypothesis}
          onChange={event => changeIdeaDraft(card.id, null, { hypothesis: event.target.value })}
        />
        <Button onClick={onWrite}>Reason and edit …</Button>
        <Button kind="primary" type="submit" disabled={!canAdd}>
          Add
        </Button>
      </div>
      {more ? <p className="text-muted text-xs">What you wrote before is added with it: {more}.</p> : null}
      {draft.hypothesis.trim() !== '' && editsOf(draft).length === 0 ? <DeafHint card={card} /> : null}
    </form>
  );
}

/** Describes what a draft contains beside its line; empty if nothing. */
function describeMore(draft: IdeaDraft): string {
  const edits = editsOf(draft);
  return [
    ...(draft.rationale.trim() ? ['a reason'] : []),
    ...(draft.effect.trim() ? ['an expected change'] : []),
    ...(draft.category.trim() ? ['a category'] : []),
    ...(edits.length > 0 ? [`an edit of ${edits.map(({ path }) => path).join(', ')}`] : []),
  ].join(', ');
}
