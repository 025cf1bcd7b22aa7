import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { app, Notification, shell } from 'electron';
import type { Logger } from 'pino';
import { Service } from '../engine/api/service.ts';
import { dataPaths } from '../engine/paths.ts';
import { onSlowStatement } from '../engine/store/slow-statements.ts';
import { PawlError } from '../shared/errors.ts';
import { openLog } from './app-log.ts';
import { Desktop } from './desktop.ts';
import { askToRetry, tellCannotStart } from './dialogs.ts';
import { denyPermissions, guardPages } from './guards.ts';
import { SafeKeyStore } from './key-store.ts';
import { existingFolder, launchPath, launchSchema } from './launch-folder.ts';
import { registerScheme, serveWindow } from './protocol.ts';

/** The desktop host. The order matters: calls that Electron needs before it is ready come before the first `await`. */

const paths = dataPaths(process.env);
/** Where the build puts the preload and the page, relative to the built main file. */
const BUILT_PRELOAD = join(import.meta.dirname, '../preload/preload.cjs');
const BUILT_WINDOW = join(import.meta.dirname, '../renderer');
/** A folder that was passed before there was a window to show it. */
let waitingPath = launchPath(
  process.argv,
  process.defaultApp ? 1 + process.argv.findIndex(argument => resolve(argument) === app.getAppPath()) : 1,
  process.cwd(),
);
let desktop: Desktop | null = null;

function begin(): void {
  let log: Logger;
  try {
    mkdirSync(join(paths.home, 'window'), { recursive: true, mode: 0o700 });
    log = openLog(paths.home);
  } catch (error) {
    void app.whenReady().then(() => leave(`${paths.home} cannot be used: ${(error as Error).message}`));
    return;
  }
  // One instance per data folder, and the page's own data stays inside it.
  app.setPath('userData', join(paths.home, 'window'));
  if (!app.requestSingleInstanceLock({ path: waitingPath })) {
    app.exit(0);
    return;
  }
  app.enableSandbox();
  registerScheme();
  guardPages(log);
  app.on('second-instance', (_event, _argv, _cwd, data) => {
    const launch = launchSchema.safeParse(data);
    void openPath(launch.success ? launch.data.path : null);
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    void openPath(path);
  });
  // An error in the window must not end an overnight run.
  process.on('uncaughtException', error => log.fatal({ error: error.stack }, 'uncaught'));
  process.on('unhandledRejection', error =>
    log.error({ error: error instanceof Error ? error.stack : String(error) }, 'unhandled rejection'),
  );
  app
    .whenReady()
    .then(() => start(log))
    .catch(error => {
      log.fatal({ error: describe(error) }, 'cannot start');
      return leave(`Something unexpected went wrong: ${(error as Error).message}`);
    });
}

async function start(log: Logger): Promise<void> {
  denyPermissions();
  serveWindow(BUILT_WINDOW);
  onSlowStatement(slow => log.warn(slow, 'slow statement'));
  const service = await openService(log);
  if (!service) return;
  desktop = new Desktop({
    service,
    log,
    preload: BUILT_PRELOAD,
    iconFolder: join(app.getAppPath(), 'resources', 'icons'),
  });
  desktop.window.show();
  await openPath(waitingPath);
}

/** Shows the window, and the folder in it if the path is a folder. */
async function openPath(path: string | null): Promise<void> {
  if (!desktop) {
    waitingPath = path ?? waitingPath;
    return;
  }
  const folder = await existingFolder(path);
  if (folder === null) desktop.window.show();
  else desktop.window.openPath(folder);
}

/** Null if the app cannot continue and is quitting. */
async function openService(log: Logger): Promise<Service | null> {
  for (;;) {
    try {
      return await Service.open({
        paths,
        environment: process.env,
        host: {
          info: {
            host: 'desktop',
            version: app.getVersion(),
            canChooseFolder: true,
            hasNotifications: Notification.isSupported(),
          },
          keys: new SafeKeyStore(join(paths.home, 'model-key')),
          showItem: path => shell.showItemInFolder(path),
          chooseFolder: () => desktop?.chooseFolder() ?? Promise.resolve(null),
        },
        onError: error => log.error({ error: describe(error) }, 'the engine reported an error'),
      });
    } catch (error) {
      log.error({ error: describe(error) }, 'cannot start');
      const isInUse = error instanceof PawlError && error.code === 'engine_running';
      if (isInUse && (await askToRetry(error.message))) continue;
      await leave(isInUse ? null : (error as Error).message);
      return null;
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? String(error.stack) : `${error.stack}\n${describe(error.cause)}`;
}

async function leave(message: string | null): Promise<void> {
  if (message !== null) await tellCannotStart(message);
  app.exit(message === null ? 0 : 1);
}

begin();
