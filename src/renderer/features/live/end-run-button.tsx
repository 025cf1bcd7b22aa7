import { OctagonX } from 'lucide-react';
import { useState } from 'react';
import type { CurrentExperiment } from '../../../shared/notebook.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** Ends the training of one experiment, after a question; the study and its other lanes continue. */
export function EndRunButton({
  study,
  experiment: { n, phase, run },
}: {
  readonly study: string;
  readonly experiment: CurrentExperiment;
}) {
  const [isAsking, setAsking] = useState(false);
  const close = () => setAsking(false);
  const end = async () => {
    close();
    await attempt(() => getClient().studies.stopRun({ study, n }), `Ending the run of #${n}.`);
  };
  if (!run || phase !== 'training') return null;
  return (
    <>
      <Button size="small" onClick={() => setAsking(true)}>
        <OctagonX size={14} aria-hidden /> End this run …
      </Button>
      {isAsking ? (
        <Dialog
          title={`End the run of #${n}?`}
          description="This ends its training now and records the experiment as a crash: “You stopped this run.” The study continues."
          onClose={close}
        >
          <div className="flex justify-end gap-2">
            <Button onClick={close}>Keep training</Button>
            <Button kind="danger" onClick={() => void end()}>
              End this run
            </Button>
          </div>
        </Dialog>
      ) : null}
    </>
  );
}
