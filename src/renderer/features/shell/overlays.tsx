import { showOverlay } from '../../app/actions.ts';
import { useStore, useStudy } from '../../app/store.ts';
import type { Host } from '../../host/host.ts';
import { ImportDialog } from '../import/import-dialog.tsx';
import { QueueDialog } from '../queue/queue-dialog.tsx';
import { SettingsDialog } from '../settings/settings-dialog.tsx';
import { ApplyDialog } from '../study/apply-dialog.tsx';
import { ExportDialog } from '../study/export-dialog.tsx';
import { ProposersDialog } from '../study/proposers-dialog.tsx';
import { ResumeDialog } from '../study/resume-dialog.tsx';
import { SteerDialog } from '../study/steer-dialog.tsx';
import { StopDialog } from '../study/stop-dialog.tsx';
import { FolderDialog } from '../welcome/folder-dialog.tsx';
import { CommandPalette } from './command-palette.tsx';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';

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
