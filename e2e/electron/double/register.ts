/**
 * `node --import` loads this file into the Node process that replaces Electron. It makes the module `electron` resolve
 * to the double. The test's questions come through the channel of the process, and the probe answers them.
 */
import { createRequire, flushCompileCache, registerHooks } from 'node:module';
import { theChromium } from './page.ts';

const electron = new URL('electron.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: electron, shortCircuit: true } : next(specifier, context),
});

const resourcesPath = process.env.PAWL_DOUBLE_RESOURCES;
if (resourcesPath === undefined) {
  // `electron .` sets these values.
  Object.assign(process, { defaultApp: true, resourcesPath: '/nonexistent', type: 'browser' });
  process.argv[1] = process.env.PAWL_DOUBLE_APP ?? process.cwd();
} else {
  // A packaged app has these values, and gets no path of the app as an argument.
  Object.assign(process, { resourcesPath, type: 'browser' });
  process.argv.splice(1, 1);
}

type Probe = Record<string, (...args: unknown[]) => unknown>;
type Question = { readonly id: number; readonly name: string; readonly args: readonly unknown[] };

const { probe } = createRequire(import.meta.url)('../probe.cjs') as { readonly probe: Probe };
const ownAnswers: Probe = {
  /** Returns the port by which the test connects to the pages, and the process that it must end with the app. */
  async chromium() {
    const { port, pid } = await theChromium();
    // The test may kill the app before it can save its compiled code, and compiling takes half of a start.
    flushCompileCache();
    return { port, pid };
  },
  async dropping(paths) {
    const { BrowserWindow } = await import('./windows.ts');
    for (const window of BrowserWindow.getAllWindows()) {
      await (window.webContents as unknown as { tellFiles(paths: unknown): Promise<void> }).tellFiles(paths);
    }
  },
};

process.on('message', async ({ id, name, args }: Question) => {
  const answer = await Promise.resolve()
    .then(() => (ownAnswers[name] ?? probe[name])?.(...args))
    .then(
      value => ({ id, value }),
      error => ({ id, error: String((error as Error).stack) }),
    );
  process.send?.(answer);
});
// If the test run is killed, this process ends too.
process.on('disconnect', () => process.exit(1));
// The channel alone must not keep the process alive.
process.channel?.unref();
