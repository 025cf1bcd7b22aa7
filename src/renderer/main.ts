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
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => {
    document.documentElement.dataset.theme = dark.matches ? 'dark' : 'light';
  };
  dark.addEventListener('change', follow);
  follow();
  const page = append(document.getElementById('root') ?? document.body, 'main', NOT_LOADED);
  append(page, 'h1', 'font-medium text-base').textContent = 'Pawl’s window could not be loaded';
  append(page, 'p', 'max-w-md text-muted text-sm').textContent =
    'If Pawl was updated meanwhile, this page is of the version before. A study that runs is not affected.';
  const button = append(page, 'button', BUTTON);
  button.textContent = 'Reload';
  button.addEventListener('click', () => location.reload());
}

/** The window's own parts are in the code that is missing. */
const NOT_LOADED = 'flex min-h-dvh flex-col items-center justify-center gap-2 px-6 text-center';
const BUTTON = 'mt-2 h-8 rounded-md border border-accent bg-accent px-3 font-medium text-accent-ink text-sm';

function append<Name extends keyof HTMLElementTagNameMap>(parent: Element, name: Name, className: string) {
  const element = document.createElement(name);
  element.className = className;
  return parent.appendChild(element);
}
