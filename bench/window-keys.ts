import type { Page } from '@playwright/test';
import type { Line } from './report.ts';

const PRESSES = 100;
const OPENINGS = 10;
/** One frame at 60 a second. */
const FRAME_MS = 16.7;
/** Browsers call a task long from this duration on. */
const LONG_TASK_MS = 50;

/** The cost of keys on the page with the big notebook: moving down with `j`, and opening the palette. */
export async function measureKeys(page: Page): Promise<readonly Line[]> {
  const perPress = await taskTimeOf(page, PRESSES, () => page.keyboard.press('j'));
  const longest = await longestTaskOf(page, async () => {
    for (let opening = 0; opening < OPENINGS; opening += 1) {
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
    }
  });
  return [
    {
      what: `"j", main thread for each of ${PRESSES} presses`,
      value: perPress,
      unit: 'ms',
      reference: `at most ${FRAME_MS} ms`,
      ratio: null,
      isGood: perPress <= FRAME_MS,
    },
    {
      what: `opening the palette, longest task of ${OPENINGS} openings (0: none above ${LONG_TASK_MS} ms)`,
      value: longest,
      unit: 'ms',
      reference: `none above ${LONG_TASK_MS} ms`,
      ratio: null,
      isGood: longest <= LONG_TASK_MS,
    },
  ];
}

/** Mean duration of main-thread tasks per repetition, in milliseconds, including the frames that follow. */
async function taskTimeOf(page: Page, times: number, act: () => Promise<void>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const taskSeconds = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
  };
  const before = await taskSeconds();
  for (let time = 0; time < times; time += 1) {
    await act();
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve))));
  }
  return (((await taskSeconds()) - before) * 1_000) / times;
}

async function longestTaskOf(page: Page, act: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    const watched = window as unknown as { longest: number };
    watched.longest = 0;
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
    }).observe({ type: 'longtask' });
  });
  await act();
  return page.evaluate(() => (window as unknown as { longest: number }).longest);
}
