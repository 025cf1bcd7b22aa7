import { showOverlay } from '../../app/actions.ts';
import { useStore, useStudy } from '../../app/store.ts';
import type { Host } from '../../host/host.ts';
import { lazyView } from '../../ui/lazy-view.tsx';
// Not loaded on demand, because users type right after opening it.
import { CommandPalette } from './command-palette.tsx';

const ImportDialog = lazyView(() => import('../import/import-dialog.tsx').then(file => file.ImportDialog));
const QueueDialog = lazyView(() => import('../queue/queue-dialog.tsx').then(file => file.QueueDialog));
const SettingsDialog = lazyView(() =>
  import('../settings/settings-dialog.tsx').then(file => file.SettingsDialog),
);
const ChannelDialog = lazyView(() =>
  import('../settings/channel-dialog.tsx').then(file => file.ChannelDialog),
);
const LargeView = lazyView(() => import('../large-view/large-view.tsx').then(file => file.LargeView));
const AuditDialog = lazyView(() => import('../study/audit-dialog.tsx').then(file => file.AuditDialog));
const StackDialog = lazyView(() => import('../stack/stack-dialog.tsx').then(file => file.StackDialog));
const ExportDialog = lazyView(() => import('../study/export-dialog.tsx').then(file => file.ExportDialog));
const JobsDialog = lazyView(() => import('../study/jobs-dialog.tsx').then(file => file.JobsDialog));
const ProposersDialog = lazyView(() =>
  import('../study/proposers-dialog.tsx').then(file => file.ProposersDialog),
);
const ResumeDialog = lazyView(() => import('../study/resume-dialog.tsx').then(file => file.ResumeDialog));
const SteerDialog = lazyView(() => import('../study/steer-dialog.tsx').then(file => file.SteerDialog));
const StopDialog = lazyView(() => import('../study/stop-dialog.tsx').then(file => file.StopDialog));
const FolderDialog = lazyView(() => import('../welcome/folder-dialog.tsx').then(file => file.FolderDialog));
const ShortcutsDialog = lazyView(() => import('./shortcuts-dialog.tsx').then(file => file.ShortcutsDialog));

/**
 * The overlay above the screen, only one at a time. The status area reports one that could not be loaded; a dialog
 * has its own.
 */
export function Overlays({ host }: { readonly host: Host }) {
  return (
    <div className="fixed inset-x-0 top-0 z-50 flex justify-center *:shadow-lg empty:hidden">
      <Overlay host={host} />
    </div>
  );
}

function Overlay({ host }: { readonly host: Host }) {
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
    case 'large-view':
      return card ? <LargeView card={card} onClose={close} /> : null;
    case 'channel':
      return <ChannelDialog onClose={close} />;
    case 'folder':
      return <FolderDialog onClose={close} />;
    case 'import':
      return <ImportDialog source={overlay.source} pathOfFile={host.pathOfFile} onClose={close} />;
    case 'stop_now':
      return <StopDialog onClose={close} />;
    case 'steer':
      return card ? <SteerDialog card={card} draft={overlay.text ?? ''} onClose={close} /> : null;
    case 'queue':
      return card && card.state !== 'imported' ? (
        <QueueDialog key={`${card.id} ${overlay.again}`} card={card} again={overlay.again} onClose={close} />
      ) : null;
    case 'stack':
      return card && card.state !== 'imported' ? (
        <StackDialog key={card.id} card={card} onClose={close} />
      ) : null;
    case 'audit':
      return card ? <AuditDialog card={card} onClose={close} /> : null;
    case 'export':
      return card ? <ExportDialog card={card} onClose={close} /> : null;
    case 'jobs':
      return <JobsDialog onClose={close} />;
    case 'proposers':
      return <ProposersDialog card={card} onClose={close} />;
    case 'resume':
      return card ? <ResumeDialog card={card} onClose={close} /> : null;
    default:
      return overlay satisfies never;
  }
}
