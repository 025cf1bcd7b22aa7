import { type FormEvent, useState } from 'react';
import { firstOf } from '../../../shared/listed.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatDuration } from '../../../shared/numbers.ts';
import { AUDIT_RUNS, claimWords, describeClaims } from '../../../shared/verdicts/claims.ts';
import { explain } from '../../app/explain.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { Problem } from '../../ui/problem.tsx';

/** How many kept edits are shown; nobody would read more here. */
const SHOWN = 6;

/** What an audit could show about the gains, and what it costs. */
export function AuditDialog({ card, onClose }: { readonly card: StudyCard; readonly onClose: () => void }) {
  const { claims } = card;
  const [runs, setRuns] = useState(String(AUDIT_RUNS));
  const [problem, setProblem] = useState<string | null>(null);
  const count = Number(runs);
  const isCount = Number.isInteger(count) && count >= 1;
  const unproven = claims?.keeps.filter(({ isProven }) => !isProven) ?? [];
  const { shown, left } = firstOf(unproven.toReversed(), SHOWN);
  const start = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await getClient().studies.resume({ study: card.id, audit: count });
      onClose();
    } catch (error) {
      setProblem(explain(error));
    }
  };
  return (
    <Dialog
      title={`Audit the gains of ${card.tag}`}
      description="The baseline and the kept commits are trained again. Nothing new is tried, and the branch stays where it is."
      onClose={onClose}
    >
      <form onSubmit={event => void start(event)} className="flex flex-col gap-3">
        {claims ? (
          <ul className="flex flex-col gap-1 text-sm">
            {describeClaims(claims).map(line => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        ) : (
          <p className="text-sm">No run of this study has been repeated yet, so no gain is claimed.</p>
        )}
        {unproven.length > 0 ? (
          <p className="text-muted text-sm">
            {shown
              .toReversed()
              .map(claim => `#${claim.n} ${claimWords(claim)}`)
              .join(' · ')}
            {left > 0 ? ` and ${left} more` : ''}
          </p>
        ) : null}
        <TextField
          label="Maximum trainings"
          hint={
            isCount
              ? `About ${formatDuration(count * card.contract.budget.seconds)} of training. You can stop it after any run.`
              : 'An integer, 1 or more.'
          }
          inputMode="numeric"
          value={runs}
          onChange={setRuns}
        />
        <Problem>{problem}</Problem>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!isCount}>
            Audit
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
