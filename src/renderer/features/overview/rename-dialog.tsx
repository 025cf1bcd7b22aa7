import { useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { titleOf } from '../../../shared/overview.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';

/** Another name for a study. */
export function RenameDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const [title, setTitle] = useState(titleOf(card));
  const save = async () => {
    const wanted = title.trim() === '' || title.trim() === card.tag ? null : title.trim();
    if (await attempt(() => getClient().studies.rename({ study: card.id, title: wanted }))) onClose();
  };
  return (
    <Dialog title={`Rename ${titleOf(card)}`} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={event => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField
          label="Name"
          hint={
            card.branch
              ? `The branch stays ${card.branch}, and the terminal knows the study as ${card.tag}.`
              : `The terminal knows it as ${card.tag}.`
          }
          maxLength={80}
          value={title}
          placeholder={card.tag}
          onChange={setTitle}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit">
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
