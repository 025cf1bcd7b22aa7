import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from '@playwright/test';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Debian's package of Chromium without the parts that only a visible browser needs. */
const HEADLESS_NAME = 'chromium-headless-shell';

/** Returns the path of Playwright's own Chromium, else of one on the PATH, else null. It never downloads one. */
export function findChromium(): string | null {
  const own = chromium.executablePath();
  return existsSync(own) ? own : findOnPath(NAMES);
}

/** Like {@link findChromium}, but prefers the headless build, which uses a sixth less processor time. */
export function findHeadlessChromium(): string | null {
  return findOnPath([HEADLESS_NAME]) ?? findChromium();
}

function findOnPath(names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(existsSync) ?? null;
}
