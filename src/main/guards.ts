import { app, type Session, session, shell, type WebContents } from 'electron';
import type { Logger } from 'pino';
import { externalAddress } from './external-address.ts';

/**
 * Prevents every present and future page from leaving: no navigation, no redirect, no new window, no webview. A link
 * to an `https:` address opens in the user's browser.
 */
export function guardPages(log: Logger): void {
  app.on('web-contents-created', (_event, contents) => guardContents(contents, log));
}

function guardContents(contents: WebContents, log: Logger): void {
  const deny = (what: string, event: { preventDefault(): void }, url: string) => {
    event.preventDefault();
    log.warn({ url: clip(url) }, `${what} denied`);
  };
  contents.on('will-navigate', event => deny('navigation', event, event.url));
  contents.on('will-frame-navigate', event => deny('navigation of a frame', event, event.url));
  contents.on('will-redirect', event => deny('redirect', event, event.url));
  contents.on('will-attach-webview', (event, _preferences, params) => {
    deny('webview', event, params.src ?? '');
  });
  contents.setWindowOpenHandler(({ url }) => {
    const address = externalAddress(url);
    if (address === null) log.warn({ url: clip(url) }, 'window denied');
    else openInBrowser(address, log);
    return { action: 'deny' };
  });
}

function openInBrowser(address: string, log: Logger): void {
  shell
    .openExternal(address)
    .catch(error => log.warn({ error: String(error) }, 'no browser could be opened'));
}

/** Refuses every permission and device that a page may request. Call it after the app is ready. */
export function denyPermissions(target: Session = session.defaultSession): void {
  target.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  target.setPermissionCheckHandler(() => false);
  target.setDevicePermissionHandler(() => false);
}

function clip(url: string): string {
  return url.slice(0, 200);
}
