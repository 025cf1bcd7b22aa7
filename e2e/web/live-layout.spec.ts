import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, openWindow, startModelStudy, startStudy, study } from './support/window.ts';

/** Four equal GPUs. */
const FOUR = `#!/bin/sh
while :; do
  for n in 0 1 2 3; do
    echo "$n, GPU-8fe3a97$n, NVIDIA H100 80GB HBM3, 97, 45061, 81559, 54, 30.62, 700.00, 1755, 2619, [N/A], 5, 16, 0x4, Disabled"
  done
  sleep 0.2
done
`;

const LONG_HYPOTHESIS =
  'Keep the warm-up and the decay as they are, halve the batch, and in exchange set LEARNING_RATE to 0.0412, because the loss still fell steeply';

/** Least height of the output that is worth reading: some lines. */
const LEAST_OUTPUT_PX = 90;

async function boxOf(part: Locator) {
  const box = await part.boundingBox();
  if (!box) throw new Error('it is not shown');
  return box;
}

/** Without scrolling, the whole curve is in sight and the end of the output, which is the newest of it. */
async function expectCurveAndOutput(page: Page, size: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(size);
  const what = `${size.width} by ${size.height}`;
  await expect(async () => {
    const curve = await boxOf(page.getByRole('group', { name: 'Live loss against the incumbent' }));
    const output = await boxOf(page.getByRole('region', { name: /^Output of experiment/ }));
    expect(curve.y + curve.height, `end of the curve at ${what}`).toBeLessThanOrEqual(output.y + 1);
    expect(output.y + output.height, `end of the output at ${what}`).toBeLessThanOrEqual(size.height);
    expect(output.height, `height of the output at ${what}`).toBeGreaterThanOrEqual(LEAST_OUTPUT_PX);
  }).toPass();
}

test('the live view shows what the proposer is thinking, in a narrow window too', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  const thinking = 'The loss still fell steeply, so the schedule is the next thing to look at.';
  const model = await answer(() => ({ kind: 'hang', after: [{ type: 'thinking', thinking }] }));
  await openWindow(page, await serve());
  await startModelStudy(page, bench, model.url);
  await page.setViewportSize({ width: 900, height: 700 });
  await study(page).tab('Live').click();
  const thought = page.getByRole('region', { name: 'What the proposer is thinking' });
  await expect(thought).toHaveText(thinking);
  await expect(thought).toBeInViewport({ ratio: 1 });
  // The only line yet is not this experiment's.
  const curve = page.getByRole('group', { name: 'Live loss against the incumbent' });
  await expect(curve.getByRole('button', { name: 'incumbent #0' })).toBeVisible();
  await takePictures(page, 'live-proposing');
});

for (const lanes of [1, 2, 4]) {
  test(`in a small window, curve and output are in sight with ${lanes} in flight`, async ({
    page,
    serve,
    makeBench,
  }) => {
    const turns = [1, 2, 3, 4].map(seed => ({
      hypothesis: seed === 2 ? LONG_HYPOTHESIS : `Another order of the data, seed ${seed}`,
      set: { SEED: String(seed) },
    }));
    const bench = await makeBench({ seconds: 0.5, turns });
    await writeFile(join(bench.folder, 'nvidia-smi'), FOUR);
    await chmod(join(bench.folder, 'nvidia-smi'), 0o755);
    await openWindow(page, await serve({ programs: bench.folder }));
    await bench.hold(1);
    await startStudy(page, bench, {
      tag: 'night',
      experiments: lanes,
      lanes: `gpu:0,gpu:1,gpu:2,gpu:3`.slice(0, 6 * lanes - 1),
    });
    await expect(cellOf(page, 0).region).toContainText('keep');
    await bench.untilHeld();
    await study(page).tab('Live').click();
    const tiles = page.getByRole('list', { name: 'Lanes' }).getByRole('listitem');
    await expect(tiles).toHaveCount(lanes === 1 ? 0 : lanes);
    if (lanes > 1) await tiles.nth(1).click();
    await expect(page.getByRole('region', { name: /^Output of experiment/ })).toContainText('step');
    for (const size of [
      { width: 900, height: 700 },
      { width: 1280, height: 800 },
      { width: 1920, height: 1080 },
    ]) {
      await expectCurveAndOutput(page, size);
      for (const tile of await tiles.all()) await expect(tile).toBeInViewport({ ratio: 1 });
    }
    await takePictures(page, `live-${lanes}`);
    await bench.letGo();
  });
}
