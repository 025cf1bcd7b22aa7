import { tell } from '../../app/command.ts';
import { ALL_COMMANDS } from '../../app/commands.ts';
import { useStore } from '../../app/store.ts';
import { Dialog } from '../../ui/dialog.tsx';

/** Keys of focused elements, which are not commands. */
const OTHER_KEYS = [
  { keys: 'Ctrl Enter', label: 'Start the study that is set up' },
  { keys: '+ − 0 ← →', label: 'Zoom, reset and pan the focused chart' },
  { keys: 'Esc', label: 'Close, or leave the terminal and the editor' },
];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  const state = useStore.getState();
  const own = ALL_COMMANDS.flatMap(({ keys, label }) => (keys ? [{ keys, label: tell(label, state) }] : []));
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} isWide="very">
      <dl className="gap-x-8 text-sm md:columns-2 lg:columns-3">
        {[...own, ...OTHER_KEYS].map(({ keys, label }) => (
          <div
            key={keys}
            className="flex break-inside-avoid flex-row-reverse items-center justify-between gap-3 border-line border-b py-1.5"
          >
            <dt className="shrink-0">
              {keys.split(' ').map(key => (
                <kbd
                  key={key}
                  className="ml-1 inline-block min-w-6 rounded border border-line-strong bg-sunken px-1.5 py-0.5 text-center font-mono text-xs"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
