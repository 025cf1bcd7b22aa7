import { SHORTCUTS } from '../../app/use-keyboard.ts';
import { Dialog } from '../../ui/dialog.tsx';

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-5 gap-y-2 text-sm">
        {SHORTCUTS.map(({ keys, what }) => (
          <div key={keys} className="contents">
            <dt>
              {keys.split(' ').map(key => (
                <kbd
                  key={key}
                  className="mr-1 inline-block min-w-6 rounded border border-line-strong bg-sunken px-1.5 py-0.5 text-center font-mono text-xs"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
