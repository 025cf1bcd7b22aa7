import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import { holdAnswers } from './support/hold-answers.ts';
import { cellOf, notebook, openWindow, sidebar, startStudy, study } from './support/window.ts';

test('saved instructions are a version of their own and apply to the next proposal', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(cellOf(page, 0).region).toContainText('training');
  await study(page).tab('program.md').click();
  const editor = page.getByRole('textbox', { name: 'program.md' });
  await expect(editor).toContainText('One idea at a time.');
  const save = page.getByRole('button', { name: 'Save', exact: true });
  await expect(save).toBeDisabled();
  await editor.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('- Look at the data order.');
  await expect(page.getByText('Not saved yet')).toBeVisible();
  await page.keyboard.press('Control+s');
  await expect(page.getByText('program.md is saved. It applies from the next proposal on.')).toBeVisible();
  await expect(save).toBeDisabled();

  const versions = page.getByRole('complementary', { name: 'Versions' });
  await expect(versions.getByRole('listitem')).toHaveCount(2);
  await versions.getByRole('button', { name: /^As committed/ }).click();
  await expect(page.getByText('Version 0, as it was')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'program.md, version 0' })).not.toContainText('data order');
  await page.getByRole('button', { name: 'Back to the current text' }).click();
  await expect(editor).toContainText('Look at the data order.');
  await choose(page.getByLabel('Show changes of program.md'), 'Changes since As committed');
  await expect(editor.locator('.cm-changedLine')).toHaveText(['- Look at the data order.']);
  await choose(page.getByLabel('Show changes of program.md'), 'Text only');
  await expect(editor.locator('.cm-changedLine')).toHaveCount(0);

  await study(page).tab('Notebook').click();
  await expect(notebook(page).mark('program.md')).toBeVisible();
  await bench.letGo();
  await expect(study(page).header).toContainText('Ended');
  const { instructions } = await bench.request(1);
  expect(instructions).toContain('- Look at the data order.');
  await study(page).tab('program.md').click();
  await expect(versions.getByRole('button', { name: /^Version 1/ })).toContainText('1 tried, 0 kept');
  // The user's own file is left as it was.
  expect(await bench.git('status', '--porcelain')).toBe('');
});

test('two windows show the same, and saving over the other one is refused', async ({
  page,
  browser,
  serve,
  bench,
}) => {
  const server = await serve();
  await openWindow(page, server);
  // A context of its own: a page behind another one of the same window is slowed down by the browser.
  const context = await browser.newContext();
  const other = await context.newPage();
  const answers = await holdAnswers(other);
  await openWindow(other, server);
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await sidebar(other).study('night').click();
  await expect(cellOf(other, 0).region).toContainText('training');
  await study(other).control('Pause').click();
  await expect(study(page).header).toContainText('pauses after this one');
  await study(page).control('Do not pause').click();
  await expect(study(other).control('Pause')).toBeVisible();

  for (const window of [page, other]) {
    await study(window).tab('program.md').click();
    await expect(window.getByRole('textbox', { name: 'program.md' })).toContainText('One idea at a time.');
  }
  // The second saves before it hears of the first.
  answers.hold();
  for (const [window, line] of [
    [page, 'From the first.'],
    [other, 'From the second.'],
  ] as const) {
    await window.getByRole('textbox', { name: 'program.md' }).click();
    await window.keyboard.press('Control+End');
    await window.keyboard.type(line);
    await window.getByRole('button', { name: 'Save', exact: true }).click();
    if (window === page) await expect(page.getByText('program.md is saved.')).toBeVisible();
  }
  answers.letGo();
  await expect(other.getByText('The instructions were saved elsewhere meanwhile')).toBeVisible();
  await expect(other.getByRole('textbox', { name: 'program.md' })).toContainText('From the second.');

  await bench.letGo();
  await expect(study(page).header).toContainText('Ended');
  await expect(study(other).header).toContainText('Ended');
  expect((await bench.request(1)).instructions).toContain('From the first.');
  await context.close();
});

test('the version that was chosen last is shown, also where the one before comes late', async ({
  page,
  serve,
  bench,
}) => {
  const answers = await holdAnswers(page);
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await study(page).tab('program.md').click();
  const editor = page.getByRole('textbox', { name: 'program.md', exact: true });
  const versions = page.getByRole('complementary', { name: 'Versions' });
  await editor.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('Look at the data order.');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(versions.getByRole('listitem')).toHaveCount(2);
  answers.hold();
  await versions.getByRole('button', { name: /^As committed/ }).click();
  await versions.getByRole('button', { name: /^Version 1/ }).click();
  answers.letGo();
  // This is answered after it.
  await choose(page.getByLabel('Show changes of program.md'), 'Changes since As committed');
  await expect(page.getByText('Version 0, as it was')).toBeHidden();
  await expect(editor).toContainText('Look at the data order.');
  await bench.letGo();
});
