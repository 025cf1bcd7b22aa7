import type { Page } from '@playwright/test';
import { EXPERIMENTS } from './big-ledger.ts';
import type { Line } from './report.ts';

const ROUNDS = 5;
const MOST_SORT_MS = 100;
/** Includes the filter's short wait for the next letter. */
const MOST_FILTER_MS = 300;
const SCROLL_FRAMES = 600;

/** How soon a table of all experiments is sorted and filtered, and how it scrolls. */
export async function measureTable(
  page: Page,
): Promise<{ readonly lines: readonly Line[]; readonly scroll: readonly number[] }> {
  await page.keyboard.press('6');
  await page.getByRole('grid').getByRole('row').nth(1).waitFor();
  // Data that the table shows beyond the cells arrives page by page.
  await page.locator('[aria-label="Table of experiments"][aria-busy="false"]').waitFor({ timeout: 120_000 });
  const sorts: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const heading of ['val_bpb', 'Hypothesis', 'Verdict']) sorts.push(await press(page, heading, false));
    sorts.push(await press(page, 'val_bpb', true));
  }
  const filters: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    filters.push(await write(page, `val_bpb < 0.99 and hypothesis ~ warm and trained > ${round}`));
    filters.push(await write(page, ''));
  }
  const scroll = await scrollFrames(page);
  const line = (what: string, times: readonly number[], most: number): Line => ({
    what: `${what}, worst of ${times.length}`,
    value: Math.max(...times),
    unit: 'ms',
    reference: `at most ${most} ms`,
    ratio: null,
    isGood: Math.max(...times) <= most,
  });
  const lines = [
    line(`sorting the table of ${EXPERIMENTS}, press to picture`, sorts, MOST_SORT_MS),
    line('filtering it, letter to picture', filters, MOST_FILTER_MS),
  ];
  return { lines, scroll };
}

/** Milliseconds from a click on a heading to the end of the frame that shows the new order. */
function press(page: Page, heading: string, isAdded: boolean): Promise<number> {
  return page.evaluate(
    async ([name, shiftKey]) => {
      const buttons = [...document.querySelectorAll('[role="columnheader"] button')];
      const button = buttons.find(({ textContent }) => textContent?.startsWith(name));
      if (!button) throw new Error(`there is no column ${name}`);
      const began = performance.now();
      button.dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey }));
      await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - began;
    },
    [heading, isAdded] as const,
  );
}

/** Milliseconds from typing a filter to the end of the frame that counts the remaining rows. */
function write(page: Page, text: string): Promise<number> {
  return page.evaluate(async wanted => {
    const field = document.getElementById('table-filter');
    const count = document.querySelector('[role="search"] [aria-live="polite"]');
    if (!(field instanceof HTMLInputElement) || !count) throw new Error('there is no filter');
    const before = count.textContent;
    const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
    const began = performance.now();
    setValue?.call(field, wanted);
    field.dispatchEvent(new Event('input', { bubbles: true }));
    while (count.textContent === before) {
      if (performance.now() - began > 10_000) throw new Error('the filter changes nothing');
      await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
    }
    return performance.now() - began;
  }, text);
}

function scrollFrames(page: Page): Promise<readonly number[]> {
  return page.evaluate(async wanted => {
    const grid = document.querySelector('[role="grid"]');
    if (!grid) throw new Error('there is no table');
    const times: number[] = [];
    await new Promise<void>(resolve => {
      const act = (at: number) => {
        times.push(at);
        if (times.length > wanted) return resolve();
        grid.scrollTop = (times.length / wanted) * (grid.scrollHeight - grid.clientHeight);
        requestAnimationFrame(act);
      };
      requestAnimationFrame(act);
    });
    return times.slice(1).map((at, index) => at - (times[index] ?? at));
  }, SCROLL_FRAMES);
}
