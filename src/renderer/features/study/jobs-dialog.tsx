import { useState } from 'react';
import type { LeftJob } from '../../../shared/machines/left-jobs.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** The jobs on other machines that may still run, where one can be given up. */
export function JobsDialog({ onClose }: { readonly onClose: () => void }) {
  const { value: jobs, problem, again } = useCall('jobs', () => getClient().jobs.list());
  const [asked, setAsked] = useState<LeftJob | null>(null);
  return (
    <Dialog
      title="Jobs on other machines"
      description="Pawl goes on asking for a job until it knows that it has ended. Give one up only where its machine is gone for good."
      onClose={onClose}
      isWide
    >
      {jobs && jobs.length > 0 ? (
        <ul aria-label="Jobs" className="divide-y divide-line">
          {jobs.map(job => (
            <JobRow key={job.id} job={job} onAsk={setAsked} />
          ))}
        </ul>
      ) : (
        <p role="status" className="text-muted text-sm">
          {problem ?? (jobs ? 'No job is left: all have ended, or were given up.' : 'Looking …')}
        </p>
      )}
      {asked ? <GiveUpDialog job={asked} onGivenUp={again} onClose={() => setAsked(null)} /> : null}
    </Dialog>
  );
}

function JobRow({ job, onAsk }: { readonly job: LeftJob; readonly onAsk: (job: LeftJob) => void }) {
  const { id, study, experiment, isUnderWay, folder } = job;
  return (
    <li className="flex items-center gap-3 py-2">
      <div className="min-w-0 flex-1">
        <p className="text-sm">
          {study === null ? 'Of a deleted study' : `${study} #${experiment}`}
          <span className="text-muted">{isUnderWay ? ', under way' : ', may still run'}</span>
        </p>
        <p className="break-all font-mono text-muted text-xs">{folder}</p>
      </div>
      {isUnderWay ? null : (
        <Button size="small" aria-label={`Give up ${id} …`} onClick={() => onAsk(job)}>
          Give up …
        </Button>
      )}
    </li>
  );
}

/** Giving a job up cannot be undone, so this says what is lost and asks first. */
function GiveUpDialog({
  job,
  onGivenUp,
  onClose,
}: {
  readonly job: LeftJob;
  readonly onGivenUp: () => void;
  readonly onClose: () => void;
}) {
  const giveUp = async () => {
    onClose();
    await attempt(() => getClient().jobs.giveUp({ id: job.id }), `${job.id} is given up.`);
    onGivenUp();
  };
  return (
    <Dialog title={`Give up ${job.id}?`} description={describeLoss(job)} onClose={onClose}>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button kind="danger" onClick={() => void giveUp()}>
          Give up
        </Button>
      </div>
    </Dialog>
  );
}

function describeLoss({ study, experiment }: LeftJob): string {
  const lost =
    study === null
      ? 'Its study was deleted, so only this keeps Pawl trying to end it: if it still runs, it will run to its own end.'
      : `Its result is lost, even if it trains to the end, and experiment ${experiment} of ${study} is trained again.`;
  return `Nothing asks for this job any more, which cannot be undone. ${lost} Its files on the other machine stay.`;
}
