import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { createRouter } from '../../engine/api/router.ts';
import { Service } from '../../engine/api/service.ts';
import { dataPaths } from '../../engine/paths.ts';
import { findProgram } from '../../engine/process/find-program.ts';
import { findShipped } from '../../engine/resources.ts';
import { makeDataFolder } from '../../engine/store/engine-lock.ts';
import { onSlowStatement } from '../../engine/store/slow-statements.ts';
import { startServer } from '../../server/server.ts';
import { PawlError } from '../../shared/errors.ts';
import { VERSION } from '../../shared/version.ts';
import { endDespiteSilence } from '../end-despite-silence.ts';
import { onStopSignals } from '../stop-signals.ts';

/** A token from the user must be as hard to guess as a generated one. */
const LEAST_TOKEN_CHARACTERS = 32;

/**
 * Runs the engine with its window served on the loopback address until it is told to stop. Closing the browser stops
 * nothing. `PAWL_SERVE_TOKEN` sets the token instead of a random one, so that open windows reconnect after a restart.
 */
export async function serve(flags: { readonly port: number; readonly open?: boolean }): Promise<void> {
  const page = findShipped(join('out', 'renderer', 'index.html'));
  if (page === null) {
    throw new PawlError(
      'usage',
      'The window is not built yet: run "npm run build" in the checkout, or "npm start".',
    );
  }
  const token = readToken();
  const paths = dataPaths(process.env);
  makeDataFolder(paths);
  const log = pino(
    { base: null },
    pino.destination({ dest: join(paths.home, 'logs', 'serve.log'), mkdir: true, sync: true }),
  );
  onSlowStatement(slow => log.warn(slow, 'slow statement'));
  const service = await Service.open({
    paths,
    environment: process.env,
    host: {
      info: { host: 'browser', version: VERSION, canChooseFolder: false, hasNotifications: false },
      chooseFolder: null,
    },
    onError: error => log.error(error),
  });
  const server = await startServer({
    router: createRouter(service),
    folder: dirname(page),
    port: flags.port,
    token,
    log,
  }).catch(async error => {
    await service.close();
    throw error;
  });
  process.stdout.write(`Pawl is at ${server.url}\n`);
  process.stdout.write('Only this machine can reach it; over ssh, forward the port. Ctrl-C stops it.\n');
  if (flags.open) await openBrowser(server.url);

  const { promise: isToEnd, resolve: end } = Promise.withResolvers<void>();
  const signals = onStopSignals({
    stopAfter: () => {
      const running = service.running();
      if (running?.state !== 'running') return end();
      process.stdout.write(
        `${running.tag} is running: it stops after this experiment, then Pawl ends. Ctrl-C again stops it now.\n`,
      );
      service.request(running.id, 'stop');
      service.hub.subscribe(event => {
        if (event.type === 'study' && !service.running()) end();
      });
    },
    stopNow: end,
  });
  await isToEnd;
  await server.close();
  await service.close();
  // Not earlier: without a listener, a signal would end the process while the engine is still stopping.
  signals.dispose();
  endDespiteSilence();
}

function readToken(): string {
  const own = process.env.PAWL_SERVE_TOKEN;
  // Whoever has the token may do everything, and no program that the engine starts needs it.
  delete process.env.PAWL_SERVE_TOKEN;
  if (own === undefined || own === '') return randomBytes(32).toString('base64url');
  if (own.length < LEAST_TOKEN_CHARACTERS || !/^[A-Za-z0-9_-]+$/.test(own)) {
    throw new PawlError(
      'usage',
      `PAWL_SERVE_TOKEN must have at least ${LEAST_TOKEN_CHARACTERS} of the characters A-Z a-z 0-9 _ -.`,
    );
  }
  return own;
}

/** Does nothing without a screen or a browser; the address has been printed anyway. */
async function openBrowser(url: string): Promise<void> {
  const program = await findProgram('xdg-open', process.env.PATH ?? '');
  const hasScreen = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!program || !hasScreen) return;
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
