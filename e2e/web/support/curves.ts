import { expect, type Locator } from '@playwright/test';

type Place = { readonly x: number; readonly y: number };

/** Where the pointer is on every curve of a chart, and where it is beyond the end of the shortest one; in pixels of the page. */
export async function pointsOnCurves(
  chart: Locator,
): Promise<{ readonly within: Place; readonly beyond: Place }> {
  let ends: readonly number[] = [];
  let start = 0;
  // They are as long as one another until the chart has what it was asked for last.
  await expect(async () => {
    const curves = await chart.locator('path.recharts-curve').all();
    const boxes = (await Promise.all(curves.map(curve => curve.boundingBox()))).flatMap(box => box ?? []);
    start = Math.max(...boxes.map(({ x }) => x));
    ends = boxes.map(({ x, width }) => x + width).sort((a, b) => a - b);
    expect((ends.at(-1) ?? 0) - (ends[0] ?? 0)).toBeGreaterThan(30);
  }).toPass();
  const [short = 0, long = 0] = [ends[0], ends.at(-1)];
  const y = ((await chart.boundingBox())?.y ?? 0) + 80;
  return { within: { x: (start + short) / 2, y }, beyond: { x: (short + long) / 2, y } };
}
