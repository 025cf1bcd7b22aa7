import { expect, test } from './support/fixtures.ts';
import { holdAnswers } from './support/hold-answers.ts';
import { NIGHT_TAG } from './support/night.ts';
import { notebook, openCell, openNotebook, sidebar } from './support/window.ts';

test('notes and tags stay over a reload and are found', async ({ page, night }) => {
  await openNotebook(page, night.server, NIGHT_TAG);
  let cell = await openCell(page, 2);
  await cell.region.getByLabel('Note on experiment 2').fill('Worth another look with a smaller step.');
  await cell.region.getByRole('button', { name: 'Add note' }).click();
  await expect(cell.section('Notes and tags').getByRole('listitem')).toHaveText(/Worth another look/);
  for (const tag of ['promising', 'twice']) {
    await cell.region.getByLabel('Tag experiment 2').fill(tag);
    await cell.region.getByLabel('Tag experiment 2').press('Enter');
    await expect(cell.region.getByRole('button', { name: `Remove tag ${tag}` })).toBeVisible();
  }
  const twice = cell.region.getByRole('button', { name: 'Remove tag twice' });
  await twice.click();
  await expect(twice).toBeHidden();
  await page.reload();
  await sidebar(page).study(NIGHT_TAG).click();
  cell = await openCell(page, 2);
  await expect(cell.section('Notes and tags')).toContainText('Worth another look with a smaller step.');
  await expect(cell.region.getByRole('button', { name: 'Remove tag promising' })).toBeVisible();
  await expect(cell.region.getByRole('button', { name: 'Remove tag twice' })).toBeHidden();
  await expect(cell.region).toContainText('1 note');
  await notebook(page).search.fill('smaller step');
  await expect(notebook(page).rows).toHaveCount(1);
  await expect(cell.region).toBeVisible();
});

test('what is written while a note or a tag is being saved stays in its field', async ({ page, night }) => {
  const answers = await holdAnswers(page);
  await openNotebook(page, night.server, NIGHT_TAG);
  const cell = await openCell(page, 3);
  const [note, tag] = [
    cell.region.getByLabel('Note on experiment 3'),
    cell.region.getByLabel('Tag experiment 3'),
  ];
  await expect(note).toBeVisible();
  answers.hold();
  await tag.fill('first');
  await tag.press('Enter');
  await tag.fill('second');
  await note.fill('The first.');
  await cell.region.getByRole('button', { name: 'Add note' }).click();
  await note.fill('The second.');
  answers.letGo();
  await expect(cell.region.getByRole('button', { name: 'Remove tag first' })).toBeVisible();
  // It is read again once the host has answered.
  await expect(cell.section('Notes and tags').getByRole('listitem')).toHaveText(/The first\./);
  await expect(tag).toHaveValue('second');
  await expect(note).toHaveValue('The second.');
});

test('of two tags that are added in quick succession both stay', async ({ page, night }) => {
  const answers = await holdAnswers(page);
  await openNotebook(page, night.server, NIGHT_TAG);
  const cell = await openCell(page, 4);
  const tag = cell.region.getByLabel('Tag experiment 4');
  await expect(tag).toBeVisible();
  answers.hold();
  for (const name of ['one', 'other']) {
    await tag.fill(name);
    await tag.press('Enter');
  }
  answers.letGo();
  // The page hears of the first before.
  for (const name of ['other', 'one'])
    await expect(cell.region.getByRole('button', { name: `Remove tag ${name}` })).toBeVisible();
});
