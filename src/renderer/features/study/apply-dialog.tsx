import { type FormEvent, useState } from 'react';
import { toast } from 'sonner';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatMetric } from '../../../shared/numbers.ts';
import { explain } from '../../app/explain.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, TextInput } from '../../ui/field.tsx';

/** Takes the best commit over into the user's own work: a branch, nothing is checked out. */
export function ApplyDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const [branch, setBranch] = useState(`best-of-${card.tag}`);
  const [problem, setProblem] = useState<string | null>(null);
  const apply = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const { commit, n } = await getClient().studies.applyBest({ study: card.id, branch });
      toast.success(`Branch ${branch} is at #${n} (${commit.slice(0, 7)}). Merge it when you like.`);
      onClose();
    } catch (error) {
      setProblem(explain(error));
    }
  };
  return (
    <Dialog
      title="Apply the best to a branch"
      description={`A new branch at experiment ${card.tally.bestExperiment} (${card.contract.metric.name} ${formatMetric(card.tally.best)}). Your checkout and your branches stay as they are.`}
      onClose={onClose}
    >
      <form onSubmit={event => void apply(event)} className="flex flex-col gap-3">
        <Field label="Branch name" problem={problem} hint="It must not exist yet.">
          {ids => (
            <TextInput
              {...ids}
              value={branch}
              onChange={event => {
                setBranch(event.target.value);
                setProblem(null);
              }}
            />
          )}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={branch.trim() === ''}>
            Create the branch
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
