/**
 * Preloaded into the Node that stands for Electron (`node --import`): the module `electron` becomes the double, and the
 * probe answers what the test asks over the process's channel.
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
  // As `electron .` has it.
  Object.assign(process, { defaultApp: true, resourcesPath: '/nonexistent', type: 'browser' });
  process.argv[1] = process.env.PAWL_DOUBLE_APP ?? process.cwd();
} else {
  // As a package has it, whose program has the app in it.
  Object.assign(process, { resourcesPath, type: 'browser' });
  process.argv.splice(1, 1);
}

type Probe = Record<string, (...args: unknown[]) => unknown>;
type Question = { readonly id: number; readonly name: string; readonly args: readonly unknown[] };

const { probe } = createRequire(import.meta.url)('../probe.cjs') as { readonly probe: Probe };
const ownAnswers: Probe = {
  /** Where the test can connect to look into the windows, and what it must end with the app. */
  async chromium() {
    const { port, pid } = await theChromium();
    // The test may end the app so that it has no time to keep what was compiled at its start; half of a start is that.
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
// Nothing is left behind by a test run that was killed.
process.on('disconnect', () => process.exit(1));
// The channel alone must not keep the process.
process.channel?.unref();
