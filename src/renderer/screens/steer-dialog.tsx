import { useState } from 'react';
import type { StudyCard } from '../../shared/notebook.ts';
import { canRead, proposerLabel } from '../../shared/study.ts';
import { attempt } from '../state/actions.ts';
import { getClient } from '../state/sync.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, TextArea } from '../ui/field.tsx';

/** A note to the proposer without stopping anything. */
export function SteerDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const send = async () => {
    const isSent = await attempt(
      () => getClient().studies.steer({ study: card.id, text }),
      'Your note stands in the notebook and goes with the next proposal.',
    );
    if (isSent) onClose();
  };
  return (
    <Dialog
      title={`Steer ${card.tag}`}
      description="The note is kept in the notebook and given to the proposer from the next proposal on."
      onClose={onClose}
    >
      <form
        onSubmit={event => {
          event.preventDefault();
          void send();
        }}
        className="flex flex-col gap-3"
      >
        <Field
          label="Note to the proposer"
          hint={
            canRead(card.proposer)
              ? 'For instance: leave the optimiser alone, look at the data order.'
              : `This study's proposer (${proposerLabel(card.proposer)}) cannot read; the note is kept for you and for a later one.`
          }
        >
          {ids => (
            <TextArea
              {...ids}
              rows={4}
              maxLength={4_000}
              value={text}
              onChange={event => setText(event.target.value)}
            />
          )}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={text.trim() === ''}>
            Send the note
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
