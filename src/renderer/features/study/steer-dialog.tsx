import { useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { canRead, proposerLabel } from '../../../shared/proposers/proposers.ts';
import type { SteeringEffect } from '../../../shared/steering.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { toast } from '../../app/toast.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextAreaField } from '../../ui/field.tsx';

/** A note to the proposer, without stopping anything. */
export function SteerDialog({
  card,
  draft,
  onClose,
}: {
  readonly card: StudyCard;
  /** The initial text. */
  readonly draft: string;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState(draft);
  const [effect, setEffect] = useState<SteeringEffect | null>(null);
  const send = async () => {
    await attempt(async () => {
      const told = await getClient().studies.steer({ study: card.id, text });
      setEffect(told);
      if (told.problems.length > 0) return;
      toast.success(told.followed.join(' '));
      onClose();
    });
  };
  return (
    <Dialog
      title={`Steer ${card.tag}`}
      description={
        canRead(card.proposer) || hasSearch(card)
          ? 'The note is kept in the notebook, and the proposer gets it from the next proposal on.'
          : `The note is kept in the notebook, for you and for a later proposer: ${proposerLabel(card.proposer)}, which proposes now, cannot read.`
      }
      onClose={onClose}
    >
      <form
        onSubmit={event => {
          event.preventDefault();
          void send();
        }}
        className="flex flex-col gap-3"
      >
        <TextAreaField
          label="Note to the proposer"
          hint={
            canRead(card.proposer)
              ? 'For example: leave the optimiser alone, look at the data order.'
              : hasSearch(card)
                ? 'The search follows: leave DEPTH alone · only LR, WIDTH · try LR up to 0.1 · try LR between 0.01 and 0.1 · free DEPTH'
                : undefined
          }
          rows={4}
          maxLength={4_000}
          value={text}
          onChange={text => {
            setText(text);
            setEffect(null);
          }}
        />
        {effect ? <Effect effect={effect} /> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{effect ? 'Close' : 'Cancel'}</Button>
          <Button
            kind="primary"
            type="submit"
            title="Send (Ctrl+Enter)"
            disabled={text.trim() === '' || effect !== null}
          >
            Send the note
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function hasSearch({ proposer }: StudyCard): boolean {
  return (
    proposer.kind === 'search' ||
    (proposer.kind === 'route' && proposer.arms.some(arm => arm.kind === 'search'))
  );
}

/** Shown if not all of a note can be followed; it is stored anyway. */
function Effect({ effect }: { readonly effect: SteeringEffect }) {
  return (
    <div
      role="alert"
      className="flex flex-col gap-1.5 rounded-lg border border-line bg-sunken px-3 py-2 text-sm"
    >
      <p className="font-medium">The note is kept in the notebook.</p>
      {effect.followed.map(words => (
        <p key={words}>{words}</p>
      ))}
      {effect.problems.map(words => (
        <p key={words} className="text-warn">
          {words}
        </p>
      ))}
    </div>
  );
}
