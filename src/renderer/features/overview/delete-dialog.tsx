import { useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { counted, formatBytes, formatDuration } from '../../../shared/numbers.ts';
import { titleOf } from '../../../shared/overview.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Switch, TextField } from '../../ui/field.tsx';

/** Deletes a study: says what will be lost, and asks for the name. */
export function DeleteDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [keepsRefs, setKeepsRefs] = useState(true);
  const [isBusy, setBusy] = useState(false);
  const { value: loss, problem } = useCall(`loss ${card.id}`, () =>
    getClient().studies.loss({ study: card.id }),
  );
  const remove = async () => {
    setBusy(true);
    const input = { study: card.id, keepsRefs };
    if (await attempt(() => getClient().studies.remove(input), `${titleOf(card)} was deleted.`)) onClose();
    else setBusy(false);
  };
  return (
    <Dialog
      title={`Delete ${titleOf(card)}?`}
      description="It cannot be taken back. Archive it to put it away, or export it first."
      onClose={onClose}
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={event => {
          event.preventDefault();
          if (typed === card.tag && !isBusy) void remove();
        }}
      >
        {loss ? (
          <ul aria-label="What is lost" className="list-disc pl-5 text-sm">
            <li>
              {counted(loss.experiments, 'experiment')}, in which {formatDuration(loss.trainedSeconds)} were
              trained: hypotheses, numbers, curves, notes
            </li>
            <li>{formatBytes(loss.bytes)} of logs and of the working folder</li>
            {loss.refs !== null && loss.refs > 0 && !keepsRefs ? (
              <li>
                the branch {card.branch} and the commits of all attempts ({loss.refs} refs)
              </li>
            ) : null}
          </ul>
        ) : (
          <p role="status" className="text-muted text-sm">
            {problem ?? 'Counting what would be lost …'}
          </p>
        )}
        {loss && loss.refs !== null && loss.refs > 0 ? (
          <Switch
            label="Keep the branch and the commits"
            hint="The code of every attempt stays in your repository."
            checked={keepsRefs}
            onChange={setKeepsRefs}
          />
        ) : null}
        <TextField
          label={`Type ${card.tag} to delete it`}
          autoComplete="off"
          value={typed}
          onChange={setTyped}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" type="submit" disabled={typed !== card.tag || isBusy || !loss}>
            {isBusy ? 'Deleting …' : 'Delete for ever'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
