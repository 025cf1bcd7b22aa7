import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UNSEEN_FEATURES } from '../../unseen-features.ts';
import { Cdp } from './cdp.ts';

const START_MS = 30_000;

/** A running Chromium without a window. A second client can connect to `port`. */
export type Chromium = { readonly cdp: Cdp; readonly port: number; readonly pid: number | undefined };

/** Starts a Chromium that can reach only this machine. It has its own profile in `folder`. */
export async function startChromium(folder: string): Promise<Chromium> {
  const profile = mkdtempSync(join(folder, 'chromium-'));
  const executable = process.env.PAWL_DOUBLE_CHROMIUM;
  if (!executable) throw new Error('PAWL_DOUBLE_CHROMIUM must say which Chromium the double shall use');
  const child = spawn(
    executable,
    [
      '--headless=new',
      '--no-startup-window',
      '--no-first-run',
      '--no-default-browser-check',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-crash-reporter',
      `--disable-features=${UNSEEN_FEATURES.join(',')}`,
      // Electron tells a page when the other end of a port is gone. Plain Chromium does so only with this switch.
      '--enable-blink-features=MessagePortCloseEvent',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--remote-debugging-port=0',
      // Chromium ends when this pipe closes, which happens however this process ends.
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      // Chromium's own sandbox does not work for root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
    // Chromium gets its own process group, so that all its processes can be ended together.
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
  );
  process.on('exit', () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  });
  const { port, path } = await readPort(child, join(profile, 'DevToolsActivePort'));
  const cdp = await Cdp.connect(`ws://127.0.0.1:${port}${path}`);
  return { cdp, port, pid: child.pid };
}

async function readPort(
  child: ChildProcess,
  file: string,
): Promise<{ readonly port: number; readonly path: string }> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const [port, path] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (port && path) return { port: Number(port), path };
    await delay(20);
  }
  throw new Error(`Chromium did not start (exit code ${child.exitCode})`);
}
