import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { DesktopBridge } from '../shared/desktop-bridge.ts';
import { openExperiment, openProject, watchReturn, watchWidth } from './app/actions.ts';
import { openAddress } from './app/history.ts';
import { useStore } from './app/store.ts';
import { keepInStep } from './app/sync.ts';
import { App } from './app.tsx';
import { browserHost } from './host/browser.ts';
import { desktopHost } from './host/desktop.ts';
import { preloadViews } from './ui/lazy-view.tsx';
import './styles.css';

declare global {
  interface Window {
    /** The preload's bridge; exists only in the desktop app. */
    readonly pawl?: DesktopBridge<File>;
  }
}

const host = window.pawl ? desktopHost(window.pawl) : browserHost();

watchWidth();
watchReturn();
host.onOpen(({ study, n }) => openExperiment(study, n));
host.onOpenPath(path => void openProject(path));
const open = () => openAddress(host.useAddress);
void keepInStep(host, open, notice => {
  const { settings, host: info } = useStore.getState();
  if (!settings.notify[notice.kind] || info?.hasNotifications) return;
  host.notify(notice.title, notice.body, () => openExperiment(notice.study, notice.n));
});

// Loads the other views in advance, but only after the first screen has what it shows.
const stopWaiting = useStore.subscribe(({ hasSnapshot, notebook }) => {
  if (!hasSnapshot || notebook?.status === 'loading') return;
  stopWaiting();
  preloadViews();
});

const root = document.getElementById('root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <App host={host} />
  </StrictMode>,
);
