import { useState } from 'react';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** Opens the list of jobs that may still run, where one can be given up. */
export function LeftJobsButton() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        Show jobs …
      </Button>
      {isOpen ? <LeftJobsDialog onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function LeftJobsDialog({ onClose }: { readonly onClose: () => void }) {
  const { value: jobs, problem, again } = useCall('jobs', () => getClient().jobs.list());
  const giveUp = async (id: string) => {
    await attempt(() => getClient().jobs.giveUp({ id }), `${id} is given up.`);
    again();
  };
  return (
    <Dialog
      title="Jobs on other machines"
      description="Pawl goes on asking for a job until it knows that it has ended. Give one up only where its machine is gone for good: then nothing asks for it any more, and its experiment is trained again."
      onClose={onClose}
      isWide
    >
      {jobs && jobs.length > 0 ? (
        <ul aria-label="Jobs" className="divide-y divide-line">
          {jobs.map(({ id, study, experiment, isUnderWay, folder }) => (
            <li key={id} className="flex items-center gap-3 py-2">
              <div className="min-w-0 flex-1">
                <p className="text-sm">
                  {study === null ? 'Of a deleted study' : `${study} #${experiment}`}
                  <span className="text-muted">{isUnderWay ? ', under way' : ', may still run'}</span>
                </p>
                <p className="break-all font-mono text-muted text-xs">{folder}</p>
              </div>
              {isUnderWay ? null : (
                <Button
                  kind="danger"
                  size="small"
                  aria-label={`Give up ${id}`}
                  onClick={() => void giveUp(id)}
                >
                  Give up
                </Button>
              )}
            </li>
          ))}
        </ul>
      ) : (
        <p role="status" className="text-muted text-sm">
          {problem ?? (jobs ? 'No job is left: all have ended, or were given up.' : 'Looking …')}
        </p>
      )}
    </Dialog>
  );
}
