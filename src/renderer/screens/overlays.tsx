import type { Host } from '../host/host.ts';
import { showOverlay } from '../state/actions.ts';
import { useStore, useStudy } from '../state/store.ts';
import { ApplyDialog } from './apply-dialog.tsx';
import { CommandPalette } from './command-palette.tsx';
import { ExportDialog } from './export-dialog.tsx';
import { FolderDialog } from './folder-dialog.tsx';
import { ImportDialog } from './import-dialog.tsx';
import { ProposersDialog } from './proposers-dialog.tsx';
import { QueueDialog } from './queue-dialog.tsx';
import { ResumeDialog } from './resume-dialog.tsx';
import { SettingsDialog } from './settings-dialog.tsx';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import { SteerDialog } from './steer-dialog.tsx';
import { StopDialog } from './stop-dialog.tsx';

/** Whatever lies over the screen; one at a time. */
export function Overlays({ host }: { readonly host: Host }) {
  const overlay = useStore(state => state.overlay);
  const card = useStudy();
  const close = () => showOverlay(null);
  switch (overlay?.name) {
    case undefined:
      return null;
    case 'palette':
      return <CommandPalette onClose={close} />;
    case 'shortcuts':
      return <ShortcutsDialog onClose={close} />;
    case 'settings':
      return <SettingsDialog host={host} onClose={close} />;
    case 'folder':
      return <FolderDialog onClose={close} />;
    case 'import':
      return <ImportDialog source={overlay.source} pathOfFile={host.pathOfFile} onClose={close} />;
    case 'stop_now':
      return <StopDialog onClose={close} />;
    case 'steer':
      return card ? <SteerDialog card={card} onClose={close} /> : null;
    case 'queue':
      return card && card.state !== 'imported' ? (
        <QueueDialog key={`${card.id} ${overlay.again}`} card={card} again={overlay.again} onClose={close} />
      ) : null;
    case 'apply':
      return card ? <ApplyDialog card={card} onClose={close} /> : null;
    case 'export':
      return card ? <ExportDialog card={card} onClose={close} /> : null;
    case 'proposers':
      return <ProposersDialog card={card} onClose={close} />;
    case 'resume':
      return card ? <ResumeDialog card={card} onClose={close} /> : null;
    default:
      return overlay satisfies never;
  }
}
