import { requestOf } from '../../app/actions.ts';
import { useRunning } from '../../app/store.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** Stopping now discards the run in training, so this asks first. */
export function StopDialog({ onClose }: { readonly onClose: () => void }) {
  const running = useRunning();
  const numbers = running?.inFlight.map(({ n }) => n) ?? [];
  const isOne = numbers.length === 1;
  return (
    <Dialog
      title="Stop now?"
      description={
        numbers.length === 0
          ? 'The study ends. Everything finished is kept.'
          : `${isOne ? 'Experiment' : 'Experiments'} ${numbers.join(', ')} ${isOne ? 'is' : 'are'} ended at once and will be run again when you resume. Everything finished is kept.`
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
          {numbers.length > 1 ? 'After these experiments' : 'After this experiment'}
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
