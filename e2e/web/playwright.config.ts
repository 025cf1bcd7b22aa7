import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';
import { TEST_LIMIT_MS, WAIT_MS } from '../../test/support/clock.ts';
import { COMPILE_CACHE } from '../../test/support/pawl-command.ts';
import { WRITES_REPORTS } from '../../test/support/reports.ts';
import { findHeadlessChromium } from '../chromium.ts';
import { UNSEEN_FEATURES } from '../unseen-features.ts';

process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/**
 * The features that Playwright switches off by itself, as far as a local page could notice them. They are repeated here
 * because Chromium uses only the last `--disable-features`.
 */
const OFF_IN_PLAYWRIGHT = [
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'PaintHolding'],
  ...['HttpsUpgrades', 'HttpsFirstBalancedModeAutoEnable', 'ThirdPartyStoragePartitioning', 'LensOverlay'],
  ...['MediaRouter', 'OptimizationHints', 'NetworkTimeServiceQuerying', 'AimEnabled', 'PreconnectToSearch'],
];

/** See `CORE` in `support/fixtures.ts`. */
const CORE = /@core/;

/** The window served by `pawl serve`, in Chromium. */
export default defineConfig({
  testDir: '.',
  // It tests nothing, and trains for long.
  testIgnore: process.env.PAWL_WRITE_PICTURES ? [] : 'docs-pictures.spec.ts',
  globalSetup: './support/prepare.ts',
  // The trainings in these specs mostly wait, so there is one worker more than there are cores.
  workers: availableParallelism() + 1,
  // The tests of one file run in parallel too, because some files take long.
  fullyParallel: true,
  retries: 0,
  timeout: TEST_LIMIT_MS,
  expect: { timeout: WAIT_MS },
  forbidOnly: Boolean(process.env.CI),
  reporter: [
    ['list'],
    ...(WRITES_REPORTS ? [['json', { outputFile: '../../test-results/e2e-web.json' }] as const] : []),
  ],
  projects: [
    { name: 'core', grep: CORE, outputDir: '../../test-results/e2e-web-core' },
    { name: 'rest', grepInvert: CORE, outputDir: '../../test-results/e2e-web' },
  ],
  use: {
    viewport: { width: 1280, height: 800 },
    // With less motion, nothing moves while a test looks at the page.
    contextOptions: { reducedMotion: 'reduce' },
    actionTimeout: WAIT_MS,
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: findHeadlessChromium() ?? '',
      args: [
        '--disable-gpu',
        '--disable-background-networking',
        // A page lives for seconds, so optimizing its code would cost more processor time than it saves.
        '--js-flags=--no-turbofan --no-maglev',
        `--disable-features=${[...OFF_IN_PLAYWRIGHT, ...UNSEEN_FEATURES].join(',')}`,
        ...sandboxArguments(),
      ],
    },
  },
});

/** Chromium's own sandbox does not work for root. */
function sandboxArguments(): readonly string[] {
  return process.getuid?.() === 0 ? ['--no-sandbox'] : [];
}
