import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { Notice } from '../shared/settings.ts';
import { openExperiment, openProject, watchReturn, watchWidth } from './app/actions.ts';
import type { FirstConnection } from './app/first-picture.ts';
import { openAddress } from './app/history.ts';
import { useStore } from './app/store.ts';
import { keepInStep } from './app/sync.ts';
import { App } from './app.tsx';
import type { Host } from './host/host.ts';
import { preloadViews } from './ui/lazy-view.tsx';

/** How long the first drawing waits for the picture that it shows, rather than to say that it is being read. */
const PATIENCE_MS = 100;

/** Shows the window, and keeps it in sync with the host from the `first` connection on. */
export function showWindow(host: Host, first: Promise<FirstConnection>): void {
  watchWidth();
  watchReturn();
  const open = () => {
    openAddress(host.useAddress);
    // These need a connection. The host keeps what it was asked to open until somebody listens.
    host.onOpen(({ study, n }) => openExperiment(study, n));
    host.onOpenPath(path => void openProject(path));
  };
  const notify = (notice: Notice) => {
    const { settings, host: info } = useStore.getState();
    if (!settings.notify[notice.kind] || info?.hasNotifications) return;
    host.notify(notice.title, notice.body, () => openExperiment(notice.study, notice.n));
  };
  void keepInStep(host, open, notify, first);

  // Loads the other views in advance, but only after the first screen has what it shows.
  const stopWaiting = useStore.subscribe(({ hasSnapshot, notebook }) => {
    if (!hasSnapshot || notebook?.status === 'loading') return;
    stopWaiting();
    preloadViews();
  });

  const root = document.getElementById('root');
  if (!root) throw new Error('the page has no #root');
  const draw = () =>
    createRoot(root).render(
      <StrictMode>
        <App host={host} />
      </StrictMode>,
    );
  const picture = first.then(connection => connection.picture);
  void Promise.race([picture, new Promise(resolve => setTimeout(resolve, PATIENCE_MS))]).then(draw, draw);
}
