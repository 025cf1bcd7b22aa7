import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type Browser, chromium, type ElectronApplication, type Page } from '@playwright/test';
import { WAIT_MS } from '../../test/support/clock.ts';
import { killIfThere } from '../../test/support/processes.ts';
import { findHeadlessChromium } from '../chromium.ts';

/**
 * Starts the built app under Electron if a runtime is installed, else under Electron's double, and offers one interface
 * to both. In both cases Playwright drives the pages, and everything else goes through the probe.
 */

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
/**
 * The built app: a folder with `package.json` and `out/`. If `PAWL_DOUBLE_RESOURCES` is set, it is the packaged app;
 * see `test/real/programs/package.test.ts`.
 */
const APP = process.env.PAWL_APP ?? root;
const MAIN = join(APP, 'out/main/main.js');

/** Returns the path of the Electron runtime, or null if none is installed. It never downloads one. */
export function findElectron(): string | null {
  const module = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  const pathFile = join(module, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH || join(module, 'dist');
  return existsSync(join(folder, name)) ? join(folder, name) : null;
}

export type AppOptions = {
  /** The data folder. By default, the app gets a new one. */
  readonly home?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

export type TrayView = {
  readonly icon: string;
  readonly tooltip: string;
  readonly items: readonly { readonly label: string; readonly type: string; readonly enabled: boolean }[];
};

export type DialogView = {
  readonly kind: string;
  readonly isOpen: boolean;
  readonly message: string;
  readonly detail: string;
  readonly buttons: readonly string[];
};

/** The app as the user and the operating system see it. */
export type App = {
  readonly home: string;
  readonly process: ChildProcess;
  /** Resolves to the exit code when the process has ended, or to null if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Returns the page of the window. After a crash, call it again. */
  page(): Promise<Page>;
  /** Calls a function of the probe. */
  probe<T>(name: string, ...args: readonly unknown[]): Promise<T>;
  /** Drops files or folders on the middle of the window. */
  drop(paths: readonly string[]): Promise<void>;
  /** Ends the app if it still runs, and removes its data folder if `startApp` created it. */
  close(): Promise<void>;
};

export async function startApp(options: AppOptions = {}): Promise<App> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run "npm run build" first.`);
  const home = options.home ?? (await realpath(await mkdtemp(join(tmpdir(), 'pawl-home-'))));
  const env = {
    ...withoutUndefined(process.env),
    PAWL_SANDBOX: 'off',
    PAWL_VERDICT: 'greedy',
    ...options.env,
    PAWL_HOME: home,
    NODE_OPTIONS: '',
  };
  const args = options.args ?? [];
  const electron = findElectron();
  const started = electron ? await startElectron(electron, args, env) : await startDouble(args, env);
  return {
    ...started,
    home,
    async close() {
      await started.close();
      if (options.home === undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Starts the app a second time with the same data folder. Resolves to the exit code and output of that process. */
export async function startAgain(
  home: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = { ...withoutUndefined(process.env), PAWL_HOME: home, NODE_OPTIONS: '' };
  const electron = findElectron();
  const child = electron
    ? spawn(electron, [...sandboxArgs(), APP, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    : spawnDouble(args, env);
  let output = '';
  child.stdout?.on('data', text => {
    output += text;
  });
  child.stderr?.on('data', text => {
    output += text;
  });
  const code = await new Promise<number | null>(resolve => child.on('exit', resolve));
  return { code, output };
}

function withoutUndefined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Chromium's own sandbox does not work for root. The app still asks for sandboxed windows. */
function sandboxArgs(): readonly string[] {
  return process.getuid?.() === 0 ? ['--no-sandbox'] : [];
}

type Started = Omit<App, 'home'>;

async function startElectron(
  executablePath: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Started> {
  const app: ElectronApplication = await _electron.launch({
    executablePath,
    args: ['-r', join(here, 'probe.cjs'), ...sandboxArgs(), APP, ...args],
    env,
    timeout: WAIT_MS,
  });
  const child = app.process();
  app.context().setDefaultTimeout(WAIT_MS);
  const page = () => app.firstWindow({ timeout: WAIT_MS });
  return {
    process: child,
    ended: new Promise(resolve => child.on('exit', resolve)),
    page,
    probe: <T>(name: string, ...given: readonly unknown[]) =>
      app.evaluate(
        (_electron, [asked, values]) =>
          (globalThis as unknown as { pawlProbe: Record<string, (...args: unknown[]) => T> }).pawlProbe[
            asked as string
          ]?.(...(values as unknown[])) as T,
        [name, given] as const,
      ),
    drop: async paths => dropOn(await page(), paths),
    async close() {
      child.kill('SIGKILL');
    },
  };
}

function spawnDouble(args: readonly string[], env: Record<string, string>): ChildProcess {
  const path = findHeadlessChromium();
  if (!path) throw new Error('No Chromium was found: run "npx playwright install chromium".');
  return spawn(process.execPath, ['--import', join(here, 'double/register.ts'), MAIN, ...args], {
    env: { ...env, PAWL_DOUBLE_APP: APP, PAWL_DOUBLE_CHROMIUM: path },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

type ChromiumOfDouble = { readonly port: number; readonly pid: number };

async function startDouble(args: readonly string[], env: Record<string, string>): Promise<Started> {
  const child = spawnDouble(args, env);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', text => {
      output += text;
      if (process.env.PAWL_E2E_VERBOSE) process.stderr.write(text);
    });
  }
  const ended = new Promise<number | null>(resolve => child.on('exit', resolve));
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on('message', (answer: { id: number; value?: unknown; error?: string }) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) asked?.resolve(answer.value as never);
    else asked?.reject(new Error(answer.error));
  });
  void ended.then(code => {
    for (const { reject } of waiting.values()) reject(new Error(`the app ended (${code}): ${output}`));
  });
  let next = 1;
  const probe = <T>(name: string, ...given: readonly unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = next;
      next += 1;
      if (child.exitCode !== null || !child.connected) {
        reject(new Error(`the app has ended (${child.exitCode}): ${output}`));
        return;
      }
      waiting.set(id, { resolve, reject });
      child.send({ id, name, args: given });
    });
  let browser: Browser | null = null;
  let chromiumOfDouble: ChromiumOfDouble | null = null;
  const page = async () => {
    await browser?.close();
    chromiumOfDouble = await probe<ChromiumOfDouble>('chromium');
    browser = await chromium.connectOverCDP(`http://127.0.0.1:${chromiumOfDouble.port}`, {
      timeout: WAIT_MS,
    });
    const [context] = browser.contexts();
    if (!context) throw new Error('Chromium has no context');
    context.setDefaultTimeout(WAIT_MS);
    return context.pages()[0] ?? context.waitForEvent('page');
  };
  return {
    process: child,
    ended,
    page,
    probe,
    async drop(paths) {
      await probe('dropping', paths);
      const [current] = browser?.contexts()[0]?.pages() ?? [];
      await dropOn(current ?? (await page()), paths);
    },
    async close() {
      await browser?.close().catch(() => {});
      // Chromium would end by itself a moment later, and could still write to the folder while it is being removed.
      const isAlive = child.exitCode === null && child.signalCode === null;
      if (isAlive) chromiumOfDouble ??= await probe<ChromiumOfDouble>('chromium');
      if (isAlive && chromiumOfDouble) killIfThere(-chromiumOfDouble.pid);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function dropOn(page: Page, paths: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: innerHeight }));
  const place = { x: Math.round(width / 2), y: Math.round(height / 2) };
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, ...place, data });
  }
  await session.detach();
}
