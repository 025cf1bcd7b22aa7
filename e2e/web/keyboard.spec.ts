import type { Locator, Page } from '@playwright/test';
import { CORE, expect, test } from './support/fixtures.ts';
import { NIGHT_TAG } from './support/night.ts';
import {
  cellOf,
  dialog,
  expectFocus,
  focusedBy,
  notebook,
  openNotebook,
  openWindow,
  palette,
  setUp,
  study,
  welcome,
} from './support/window.ts';

/** Presses Tab until `place` has the focus, and checks at every stop that the focus is visible. */
async function tabTo(page: Page, place: Locator): Promise<void> {
  await expect(place).toBeVisible();
  for (let stops = 0; stops < 60; stops += 1) {
    await page.keyboard.press('Tab');
    if (stops > 0) expect(await hasVisibleFocus(page), 'whether the focus can be seen').toBe(true);
    if (await place.evaluate(element => element === document.activeElement)) return;
  }
  throw new Error('60 times Tab did not lead there');
}

/** Returns the elements that have a transition although the system asks for less motion. */
function transitions(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('*')]
      .filter(element => getComputedStyle(element).transitionProperty !== 'none')
      .map(element => (element.cloneNode() as Element).outerHTML),
  );
}

/** Says whether the focused element or an element close around it has an outline. */
function hasVisibleFocus(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    let element: Element | null = document.activeElement;
    for (let depth = 0; element && depth < 3; depth += 1) {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      if (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) return true;
      element = element.parentElement;
    }
    return false;
  });
}

test('from the first start to an opened cell without a mouse', CORE, async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await tabTo(page, welcome(page).path);
  await page.keyboard.type(bench.repository);
  await page.keyboard.press('Enter');
  await expect(setUp(page).heading).toBeVisible();
  await expect(page.locator('form :focus')).toHaveCount(1);
  await tabTo(page, setUp(page).field('Experiments'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('1');
  await page.keyboard.press('Enter');
  await expect(study(page).header).toContainText('Ended');
  await expectFocus(page);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(cellOf(page, 1).panel).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(cellOf(page, 1).panel).toBeHidden();
});

test('after a step through the experiments Enter is theirs, whatever was pressed before', async ({
  page,
  night,
}) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  await study(page).tab('Notebook').click();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(cellOf(page, 13).panel).toBeVisible();
  await study(page).tab('Notebook').focus();
  await page.keyboard.press('k');
  await page.keyboard.press('b');
  await page.keyboard.press('Enter');
  await expect(cellOf(page, 13).panel).toBeHidden();
});

test('the sample is reached by Tab', async ({ page, night }) => {
  await openWindow(page, night.server);
  await tabTo(page, welcome(page).sample);
  await page.keyboard.press('Enter');
  await expect(setUp(page).heading).toHaveText(/byte-lm/);
});

test.describe('in the notebook', () => {
  test.beforeEach(({ page, night }) => openNotebook(page, night.server, NIGHT_TAG));

  test('j and k go from cell to cell, Enter opens, c marks for comparison', CORE, async ({ page }) => {
    await page.keyboard.press('j');
    await expect(cellOf(page, 13).region).toHaveClass(/border-accent/);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await expect(cellOf(page, 12).region).toHaveClass(/border-accent/);
    await page.keyboard.press('c');
    await page.keyboard.press('j');
    await page.keyboard.press('c');
    await page.keyboard.press('3');
    await expect(page.getByRole('region', { name: 'Numbers' }).getByRole('row')).toHaveCount(3);
    await page.keyboard.press('1');
    await expect(notebook(page).list).toBeVisible();
  });

  test('whoever walks through the experiments has each in sight, and the rows stand as they are read', async ({
    page,
  }) => {
    await page.setViewportSize({ width: 1280, height: 640 });
    const walk = async (key: string, numbers: readonly number[]) => {
      for (const n of numbers) {
        await page.keyboard.press(key);
        await expect(cellOf(page, n).toggle).toBeFocused();
        await expect(cellOf(page, n).toggle).toBeInViewport({ ratio: 1 });
      }
    };
    const numbersOnPage = () =>
      notebook(page).rows.evaluateAll(rows => rows.map(row => Number(row.ariaLabel?.split(' ')[1])));
    const areInOrder = async () => {
      const numbers = await numbersOnPage();
      return numbers.every((n, place) => place === 0 || n < (numbers[place - 1] ?? 0));
    };
    const down = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    await walk('j', down);
    await expect.poll(numbersOnPage).not.toContain(13);
    await expect.poll(areInOrder).toBe(true);
    await walk('k', down.toReversed().slice(1));
    await expect.poll(areInOrder).toBe(true);
  });

  test('1 to 4 are the views of the study', CORE, async ({ page }) => {
    for (const [key, tab] of [
      ['2', 'Live'],
      ['3', 'Compare'],
      ['4', 'program.md'],
      ['1', 'Notebook'],
    ] as const) {
      await page.keyboard.press(key);
      await expect(study(page).tab(tab)).toHaveAttribute('aria-selected', 'true');
    }
  });

  test('/ searches from any view, and Escape leaves', async ({ page }) => {
    await page.keyboard.press('2');
    await page.keyboard.press('/');
    await expect(notebook(page).search).toBeFocused();
    await page.keyboard.type('batches');
    await expect(notebook(page).rows).toHaveCount(1);
    // While the search has the focus, letters are text and not commands.
    await page.keyboard.press('s');
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.keyboard.press('Escape');
    await expect(notebook(page).filter).toContainText('14 of 14');
    await page.keyboard.press('j');
    await expect(cellOf(page, 13).region).toHaveClass(/border-accent/);
  });

  test('who leaves the search or the filter with Escape is back where they came from', async ({ page }) => {
    const steer = study(page).control('Steer');
    await steer.focus();
    await page.keyboard.press('/');
    await expect(notebook(page).search).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(steer).toBeFocused();
    await page.keyboard.press('6');
    await page.getByRole('grid').focus();
    await page.keyboard.press('/');
    await expect(page.getByRole('option').first()).toBeVisible();
    // The first Escape closes only what may be written next.
    await page.keyboard.press('Escape');
    await expect(page.getByRole('combobox', { name: 'Filter experiments' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('grid')).toBeFocused();
  });

  test('the search has the focus as soon as its key is down, so that no letter is lost', async ({ page }) => {
    await page.keyboard.press('2');
    await expect(study(page).tab('Live')).toHaveAttribute('aria-selected', 'true');
    expect(await focusedBy(page, 'body', { key: '/' })).toMatch(/^Search hypotheses/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('6');
    await expect(page.getByRole('gridcell').first()).toBeVisible();
    expect(await focusedBy(page, 'body', { key: '/' })).toBe('Filter experiments');
  });

  test('each dialog takes the focus, closes with Escape and gives the focus back', async ({ page }) => {
    const more = study(page).control('More');
    await more.focus();
    for (const [key, name] of [
      ['?', 'Keyboard shortcuts'],
      ['s', `Steer ${NIGHT_TAG}`],
      ['q', `Queue of ${NIGHT_TAG}`],
    ] as const) {
      await page.keyboard.press(key);
      await expect(dialog(page, name)).toBeVisible();
      await expect(dialog(page, name).locator(':focus')).toHaveCount(1);
      await page.keyboard.press('Escape');
      await expect(dialog(page, name)).toBeHidden();
      await expect(more).toBeFocused();
    }
    for (const item of ['Take to Git …', 'Export …']) {
      await page.keyboard.press('Enter');
      await expect(page.getByRole('menu')).toBeVisible();
      const choice = page.getByRole('menuitem', { name: item });
      for (let presses = 0; presses < 10; presses += 1) {
        if (await choice.evaluate(element => element === document.activeElement)) break;
        await page.keyboard.press('ArrowDown');
      }
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog').locator(':focus')).toHaveCount(1);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
      await expect(more).toBeFocused();
    }
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toBeHidden();
    await expect(more).toBeFocused();
  });

  test('a dialog opened with nothing focused leaves the focus in the window', async ({ page }) => {
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    for (const key of ['?', 's', 'q', 'Control+k']) {
      await page.keyboard.press(key);
      await expect(page.getByRole('dialog')).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
      await expectFocus(page);
    }
    await page.keyboard.press('j');
    await expect(cellOf(page, 13).region).toHaveClass(/border-accent/);
  });

  test('Ctrl K opens the palette, letters filter it, Enter runs', CORE, async ({ page }) => {
    await page.keyboard.press('Control+k');
    await expect(palette(page).input).toBeFocused();
    await page.keyboard.type('crashes');
    await expect(palette(page).dialog.getByRole('option')).toHaveCount(1);
    await page.keyboard.press('Enter');
    await expect(palette(page).dialog).toBeHidden();
    await expect(notebook(page).rows).toHaveCount(1);
    await expectFocus(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('zzz');
    await expect(palette(page).dialog).toContainText('Nothing found.');
    await page.keyboard.press('Control+k');
    await expect(palette(page).dialog).toBeHidden();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('dark');
    await page.keyboard.press('Enter');
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    expect(await transitions(page)).toEqual([]);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('use the system theme');
    await page.keyboard.press('Enter');
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  });

  test('a palette that is opened while the notebook still moves keeps the focus', async ({ page }) => {
    // This loads the palette's code beforehand.
    await page.keyboard.press('Control+k');
    await expect(palette(page).input).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(palette(page).dialog).toBeHidden();
    await page.evaluate(async () => {
      const down = Array.from({ length: 12 }, () => ({ key: 'j' }));
      for (const key of [...down, { key: 'k', ctrlKey: true }])
        document.body.dispatchEvent(new KeyboardEvent('keydown', { ...key, bubbles: true }));
      // The list scrolls to the experiment in one frame, and would focus it in the next.
      for (let frame = 0; frame < 4; frame += 1)
        await new Promise<void>(resolve => requestAnimationFrame(() => resolve()));
    });
    await expect(palette(page).input).toBeFocused();
  });

  test('a palette that is closed and opened at once keeps the focus', async ({ page }) => {
    await page.keyboard.press('Control+k');
    await expect(palette(page).input).toBeFocused();
    const heard = await page.evaluate(async () => {
      const places: string[] = [];
      document.addEventListener('focusin', ({ target }) => places.push((target as Element).tagName));
      const press = async () => {
        document.body.dispatchEvent(
          new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }),
        );
        await new Promise(resolve => requestAnimationFrame(resolve));
      };
      // The timers of the closed palette fire only when the next palette is open, as can happen on a busy machine.
      const timers: (() => void)[] = [];
      const { setTimeout } = window;
      Object.assign(window, { setTimeout: (act: () => void) => timers.push(act) });
      await press();
      await press();
      Object.assign(window, { setTimeout });
      for (const act of timers) act();
      return places;
    });
    expect(heard).toEqual(['INPUT']);
    await expect(palette(page).input).toBeFocused();
  });

  test('from the palette one comes to an experiment, to another dialog, and to another screen', async ({
    page,
  }) => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('#4');
    await page.keyboard.press('Enter');
    await expect(cellOf(page, 4).panel).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('export');
    await page.keyboard.press('Enter');
    await expect(dialog(page, `Export ${NIGHT_TAG}`).locator(':focus')).toHaveCount(1);
    await page.keyboard.press('Escape');
    await expectFocus(page);
    await page.keyboard.press('o');
    await expect(welcome(page).region).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.keyboard.type(`open ${NIGHT_TAG}`);
    await page.keyboard.press('Enter');
    await expect(study(page).heading).toHaveText(NIGHT_TAG);
  });

  test('a control that disappears leaves the focus in the window', async ({ page }) => {
    await page.keyboard.press('3');
    await page.getByRole('button', { name: 'Compare the baseline with the best' }).press('Enter');
    const remove = page.getByRole('button', { name: 'Take #0 out' });
    await expectFocus(page);
    await remove.press('Enter');
    await expect(remove).toBeHidden();
    await expectFocus(page);
  });

  test('the editor lets go of the keyboard', async ({ page }) => {
    await page.keyboard.press('4');
    const editor = page.getByRole('textbox', { name: 'program.md' });
    await editor.focus();
    await page.keyboard.press('2');
    await expect(editor).toContainText('2');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Escape');
    await expectFocus(page);
    await page.keyboard.press('Tab');
    await expect(editor).not.toBeFocused();
  });
});
