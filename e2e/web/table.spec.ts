import type { Page } from '@playwright/test';
import { CORE, expect, test } from './support/fixtures.ts';
import { holdAnswers } from './support/hold-answers.ts';
import { look } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import {
  cellOf,
  dialog,
  downloadOf,
  openNotebook,
  openWindow,
  runCommand,
  startStudy,
  study,
} from './support/window.ts';

function table(page: Page) {
  const grid = page.getByRole('grid', { name: 'Experiments' });
  const tools = page.getByRole('search', { name: 'Table' });
  return {
    grid,
    tools,
    rows: grid.getByRole('row').filter({ has: page.getByRole('gridcell') }),
    heading: (name: string) => grid.getByRole('columnheader', { name, exact: true }),
    filter: tools.getByRole('combobox', { name: 'Filter experiments' }),
    button: (name: string) => tools.getByRole('button', { name }),
  };
}

/** Returns the numbers in table order. The page reuses row elements, so their order in the document differs. */
async function numbersFromTop(page: Page): Promise<readonly string[]> {
  return table(page).grid.evaluate(grid =>
    [...grid.querySelectorAll('[role="row"]')]
      .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
      .flatMap(row => row.querySelector('button[aria-label^="Open experiment"]')?.textContent ?? []),
  );
}

async function openTable(page: Page): Promise<void> {
  await page.keyboard.press('6');
  await expect(table(page).grid).toBeVisible();
  await expect(table(page).heading('LEARNING_RATE')).toBeVisible();
}

test('the table says what it has not read yet, and only while that is so', async ({ page, night }) => {
  const answers = await holdAnswers(page);
  await openNotebook(page, night.server, NIGHT_TAG);
  answers.hold();
  await page.keyboard.press('6');
  const { tools, heading, grid } = table(page);
  await expect(grid).toBeVisible();
  await expect(tools).toContainText('14 of 14 · reading the values of 14');
  await expect(heading('LEARNING_RATE')).toBeHidden();
  answers.letGo();
  await expect(heading('LEARNING_RATE')).toBeVisible();
  await expect(tools).not.toContainText('reading');
  await expect(page.getByRole('region', { name: 'Table of experiments' })).toHaveAttribute(
    'aria-busy',
    'false',
  );
});

test.describe('the table of a night', () => {
  test.beforeEach(async ({ page, night }) => {
    await openNotebook(page, night.server, NIGHT_TAG);
    await openTable(page);
  });

  test('is sorted by its headings, by several with Shift', CORE, async ({ page }) => {
    const { heading } = table(page);
    await expect.poll(() => numbersFromTop(page)).toEqual([...Array(14).keys()].map(n => `#${13 - n}`));
    await heading('val_bpb').getByRole('button').click();
    await expect(heading('val_bpb')).toHaveAttribute('aria-sort', 'ascending');
    const best = await study(page).best.textContent();
    await expect(table(page).rows.and(page.locator('[aria-rowindex="2"]'))).toContainText(best ?? '');
    await heading('Verdict').getByRole('button').click();
    await heading('#')
      .getByRole('button')
      .click({ modifiers: ['Shift'] });
    await expect(heading('#')).toHaveAttribute('aria-sort', 'ascending');
    const words = await page.evaluate(() =>
      [...document.querySelectorAll('[role="row"][aria-rowindex="2"] [role="gridcell"]')].map(
        cell => cell.textContent,
      ),
    );
    expect(words.slice(0, 2)).toEqual(['#4', 'crash']);
  });

  test('is filtered by numbers and words, and says what is wrong with a filter', CORE, async ({ page }) => {
    const { filter, tools, grid } = table(page);
    await filter.fill('verdict = crash');
    await expect.poll(() => numbersFromTop(page)).toEqual(['#4']);
    await filter.fill('LEARNING_RATE >= 0.06 and LEARNING_RATE < 0.1 and not category = schedule');
    await expect.poll(() => numbersFromTop(page)).toContain('#7');
    await expect(tools).toContainText(/^\D*\d of 14/);
    await filter.fill('val_bp < 1');
    await expect(filter).toHaveAttribute('aria-invalid', 'true');
    await expect(filter).toHaveAccessibleDescription(/There is no column “val_bp”. Did you mean val_bpb\?/);
    await filter.fill('val_bpb < 0');
    await expect(grid).toBeHidden();
    await page.getByRole('button', { name: 'Show all experiments' }).click();
    await expect(tools).toContainText('14 of 14');
  });

  test('offers what may be written next', async ({ page }) => {
    const { filter } = table(page);
    await page.keyboard.press('/');
    await expect(filter).toBeFocused();
    await page.keyboard.type('verd');
    await page.keyboard.press('ArrowDown');
    await expect(page.getByRole('option', { name: /^verdict/ })).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('Enter');
    await expect(filter).toHaveValue('verdict ');
    await page.keyboard.type('= k');
    await page.getByRole('option', { name: 'keep' }).click();
    await expect(filter).toHaveValue('verdict = keep ');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('listbox')).toBeHidden();
    await look(page, 'table-filtered');
  });

  test('is walked by keyboard, and Enter opens the experiment in the notebook', CORE, async ({ page }) => {
    const { grid, heading } = table(page);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await expect(cellOf(page, 13).panel).toBeVisible();
    await page.keyboard.press('6');
    await grid.focus();
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await expect(grid.getByRole('row', { selected: true })).toContainText('#11');
    await page.keyboard.press('ArrowRight');
    const active = await grid.getAttribute('aria-activedescendant');
    await expect(page.locator(`[id="${active}"]`)).toHaveText('discard');
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await expect(heading('Verdict')).toHaveAttribute('aria-sort', 'ascending');
    const width = () => heading('Verdict').evaluate(element => element.getBoundingClientRect().width);
    const before = await width();
    await page.keyboard.press('Control+ArrowRight');
    await expect.poll(width).toBe(before + 16);
    await page.keyboard.press('Shift+ArrowRight');
    await expect(heading('Verdict')).toHaveAttribute('aria-colindex', '3');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(cellOf(page, 4).panel).toBeVisible();
  });

  test('keeps its columns, and groups rows under the values of one', async ({ page }) => {
    await table(page).button('Columns').click();
    const columns = dialog(page, 'Columns');
    await columns.getByRole('checkbox', { name: /^num_params_M/ }).check();
    await columns.getByRole('checkbox', { name: /^Hypothesis/ }).uncheck();
    await columns.getByRole('button', { name: 'Move Verdict to the front' }).click();
    await look(page, 'table-columns');
    await page.keyboard.press('Escape');
    await page.reload();
    await expect(table(page).heading('num_params_M')).toBeVisible();
    await expect(table(page).heading('Hypothesis')).toBeHidden();
    await expect(table(page).heading('Verdict')).toHaveAttribute('aria-colindex', '1');
    await table(page).tools.getByLabel('Group by').click();
    await page.getByRole('option', { name: 'By category' }).click();
    const group = table(page).grid.getByRole('gridcell', { name: /^architecture.*experiments/ });
    await expect(group).toContainText('3 experiments');
    await group.click();
    await expect(group).toHaveAttribute('aria-expanded', 'false');
    await expect.poll(() => numbersFromTop(page)).not.toContain('#5');
    await look(page, 'table-groups');
  });

  test('gives what is shown to a spreadsheet', async ({ page }) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const { filter, button } = table(page);
    await filter.fill('n <= 1');
    await expect.poll(() => numbersFromTop(page)).toEqual(['#1', '#0']);
    const { name, bytes } = await downloadOf(page, () => button('CSV').click());
    expect(name).toBe(`${NIGHT_TAG}-table.csv`);
    const [head = '', first = '', second = '', end] = bytes.toString('utf8').split('\r\n');
    expect(head).toMatch(/^n,verdict,val_bpb,delta,.*hypothesis,LEARNING_RATE/);
    expect(first).toMatch(/^1,keep,1\.\d+,-0\.\d+,.*Double the learning rate to 0.04,0.04/);
    expect(second).toMatch(/^0,keep,/);
    expect(end).toBe('');
    await button('Copy').click();
    await expect(page.getByText('2 rows are on the clipboard.')).toBeVisible();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split('\n')[0]).toBe(head.replaceAll(',', '\t'));
  });

  test('has an address and a name in the palette', async ({ page }) => {
    await expect(page).toHaveURL(/#\/study\/[^/]+\/table$/);
    await page.reload();
    await expect(table(page).grid).toBeVisible();
    await page.keyboard.press('1');
    await runCommand(page, 'table', 'Table of all experiments');
    await expect(study(page).tab('Table')).toHaveAttribute('aria-selected', 'true');
  });

  for (const width of [900, 1280, 1920]) {
    test(`looks right at ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 800 });
      await look(page, 'table');
    });
  }
});

test('the table follows a study that runs', async ({ page, serve, makeBench }) => {
  const bench = await makeBench({
    turns: [{ hypothesis: 'Six layers', set: { DEPTH: '6' } }],
    seconds: 0.3,
  });
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: NIGHT_TAG, experiments: 1 });
  await page.keyboard.press('6');
  await expect.poll(() => numbersFromTop(page)).toEqual(['#0']);
  await bench.untilHeld();
  await bench.letGo();
  await expect.poll(() => numbersFromTop(page)).toEqual(['#1', '#0']);
  await expect(table(page).heading('DEPTH')).toBeVisible();
  await expect(table(page).rows.filter({ hasText: 'Six layers' })).toContainText('keep');
});
