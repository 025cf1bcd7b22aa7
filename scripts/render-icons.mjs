// Renders resources/icons/*.svg to the PNGs beside them; run it after changing one: `node scripts/node.mjs scripts/render-icons.mjs`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { root } from './find-node.mjs';

const folder = join(root, 'resources', 'icons');
const TRAY_STATES = ['idle', 'running', 'paused', 'attention'];
/** Linux panels show 22 pixels, other systems 16; each also at twice the density. */
const TRAY_SIZES = [16, 22];

const files = [
  { from: 'app.svg', to: 'app-512.png', size: 512 },
  ...TRAY_STATES.flatMap(state =>
    TRAY_SIZES.flatMap(size => [
      { from: `tray-${state}.svg`, to: `tray-${state}-${size}.png`, size },
      { from: `tray-${state}.svg`, to: `tray-${state}-${size}@2x.png`, size: 2 * size },
    ]),
  ),
];

const installed = chromium.executablePath();
const browser = await chromium.launch({
  executablePath: existsSync(installed) ? installed : '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const page = await browser.newPage();
for (const { from, to, size } of files) {
  const svg = Buffer.from(readFileSync(join(folder, from))).toString('base64');
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<body style="margin:0"><img style="display:block" width="${size}" height="${size}" src="data:image/svg+xml;base64,${svg}">`,
  );
  await page.locator('img').evaluate(image => image.decode());
  writeFileSync(join(folder, to), await page.screenshot({ omitBackground: true }));
}
await browser.close();
