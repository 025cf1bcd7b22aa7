import type { DesktopBridge } from '../shared/desktop-bridge.ts';
import { askAhead } from './app/first-picture.ts';
import { browserHost } from './host/browser.ts';
import { desktopHost } from './host/desktop.ts';
import './styles.css';

declare global {
  interface Window {
    /** The preload's bridge; exists only in the desktop app. */
    readonly pawl?: DesktopBridge<File>;
  }
}

const host = window.pawl ? desktopHost(window.pawl) : browserHost();
// This script is small and runs at once; the browser compiles the window's meanwhile.
const first = askAhead(host);
void import('./window.tsx').then(({ showWindow }) => showWindow(host, first), sayNotLoaded);

function sayNotLoaded(): void {
  document.body.textContent =
    'Pawl’s window could not be loaded. If Pawl was updated meanwhile, reload the page.';
}
