import { protocol } from 'electron';
import { respond } from './window-response.ts';

/** Call it before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'pawl', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the built window from `folder`. Call it after the app is ready. */
export function serveWindow(folder: string): void {
  protocol.handle('pawl', request => respond(folder, request.method, request.url));
}
