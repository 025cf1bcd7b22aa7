import { requestOf } from '../../app/actions.ts';
import { useRunning } from '../../app/store.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** Stopping now throws away what trains; that is asked once. */
export function StopDialog({ onClose }: { readonly onClose: () => void }) {
  const running = useRunning();
  const n = running?.current?.n;
  return (
    <Dialog
      title="Stop now?"
      description={
        n === undefined
          ? 'The study ends. Everything finished is kept.'
          : `Experiment ${n} is ended at once and will be run again when you resume. Everything finished is kept.`
      }
      onClose={onClose}
    >
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Keep running</Button>
        <Button
          onClick={() => {
            void requestOf('stop');
            onClose();
          }}
        >
          After this experiment
        </Button>
        <Button
          kind="danger"
          onClick={() => {
            void requestOf('stop_now');
            onClose();
          }}
        >
          Stop now
        </Button>
      </div>
    </Dialog>
  );
}
