import { protocol } from 'electron';
import { respond } from './window-response.ts';

/** Must be called before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'pawl', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the built window from `folder`. Must be called after the app is ready. */
export function serveWindow(folder: string): void {
  protocol.handle('pawl', request => respond(folder, request.method, request.url));
}
