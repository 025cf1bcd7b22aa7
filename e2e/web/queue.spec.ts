import type { Locator, Page } from '@playwright/test';
import { dataPaths } from '../../src/engine/paths.ts';
import { openLedger } from '../../src/engine/store/ledger.ts';
import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import { holdAnswers } from './support/hold-answers.ts';
import { look } from './support/look.ts';
import { takePictures } from './support/pictures.ts';
import { pawl } from './support/terminal.ts';
import {
  cellOf,
  chooseFrom,
  dialog,
  expectFocus,
  openCell,
  openProject,
  openWindow,
  setUp,
  startStudy,
  study,
} from './support/window.ts';

const TURNS = [{ hypothesis: 'Twice as deep', category: 'architecture', set: { DEPTH: '12' } }];
function queue(page: Page) {
  const region = dialog(page, /^Queue of /);
  const list = region.getByRole('list', { name: 'Waiting ideas' });
  return {
    region,
    line: region.getByLabel('New idea'),
    add: region.getByRole('button', { name: 'Add', exact: true }),
    more: region.getByRole('button', { name: 'Reason and edit …' }),
    ideas: list.getByRole('listitem'),
    idea: (words: string) => list.getByRole('listitem', { name: words, exact: true }),
    past: region.getByRole('region', { name: 'Earlier ideas' }),
  };
}

/** Waits until exactly these ideas wait, in this order. */
async function expectIdeas(page: Page, ...ideas: readonly string[]): Promise<void> {
  await expect
    .poll(() => queue(page).ideas.evaluateAll(items => items.map(item => item.getAttribute('aria-label'))))
    .toEqual(ideas);
}

/** Returns the parts of the dialog that scroll sideways, except text areas, which may. */
function scrollsSideways(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('[role="dialog"], [role="dialog"] *')]
      .filter(
        element =>
          !(element instanceof HTMLTextAreaElement) &&
          ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) &&
          element.scrollWidth > element.clientWidth,
      )
      .map(element => `scrolls sideways: ${element.tagName} ${element.className}`),
  );
}

/** Replaces a line in an open file. */
async function change(editor: Locator, from: string, to: string): Promise<void> {
  const page = editor.page();
  await editor.locator('.cm-line').filter({ hasText: from }).click();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+End');
  await page.keyboard.insertText(to);
  await expect(editor.locator('.cm-changedLine')).toHaveText(to);
}

/** Adds many ideas to the queue, as another process could. */
function fillQueue(home: string, count: number): void {
  const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
  const id = ledger.studies.list()[0]?.id ?? '';
  ledger.write(() => {
    for (let n = 3; n < 3 + count; n += 1) {
      ledger.ideas.add(id, {
        ...{
          author: 'you',
          hypothesis: `Idea ${n}`,
          rationale: `Because of ${n}.`,
          at: Date.now(),
        },
        ...{ predictedEffect: -0.001 * n, category: 'schedule', edit: null },
      });
    }
  });
  ledger.close();
}

test('ideas in words and with an edit wait in the order one gives them, and have their turn', async ({
  page,
  serve,
  home,
  makeBench,
}) => {
  const bench = await makeBench({ turns: TURNS });
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 4 });
  await expect(cellOf(page, 0).region).toContainText('training');
  await expect(study(page).controls).not.toContainText('Queue');

  // The key opens the queue. While the queue is empty, the dialog explains it.
  await page.keyboard.press('q');
  const { region, line, add, more, idea, past } = queue(page);
  await expect(line).toBeFocused();
  await expect(region).toContainText('Nothing waits');
  await expect(add).toBeDisabled();
  await look(page, 'queue-empty', scrollsSideways);
  await page.keyboard.type('Warm up for one step in twenty');
  await page.keyboard.press('Enter');
  await expect(idea('Warm up for one step in twenty')).toContainText('words only');
  await expect(idea('Warm up for one step in twenty')).toContainText('next');
  await expect(line).toHaveValue('');

  // Another terminal adds an idea while the dialog is open.
  const told = await pawl(
    { home, cwd: bench.repository },
    'propose',
    'A deeper net',
    '--why',
    'It has paid.',
  );
  expect(told).toContain('waits in night, number 2');
  await expect(idea('A deeper net')).toContainText('It has paid.');

  // The user adds an idea with an edit.
  await more.click();
  const form = dialog(page, 'An idea for night');
  await expect(form.getByLabel('Idea', { exact: true })).toBeFocused();
  await page.keyboard.type('Learning rate 0.04 by hand');
  await form.getByLabel('Why').fill('The loss still falls steeply at the end of the budget.');
  await form.getByLabel('Expected change of val_bpb').fill('lower');
  await expect(form.getByLabel('Expected change of val_bpb')).toHaveAccessibleDescription(/signed number/);
  await expect(form.getByRole('button', { name: 'Add to the queue' })).toBeDisabled();
  await form.getByLabel('Expected change of val_bpb').fill('−0.02');
  await form.getByLabel('Category').fill('optimizer');
  await look(page, 'queue-form', scrollsSideways);
  await form.getByRole('button', { name: 'Edit the files' }).click();
  await change(form.getByLabel('train.py'), 'LEARNING_RATE = 0.02', 'LEARNING_RATE = 0.04');
  await expect(form).toContainText('Your changes to train.py');
  await look(page, 'queue-edit', scrollsSideways);
  // Escape returns to the list, and the edit is not lost.
  await page.keyboard.press('Escape');
  await expect(region).toContainText('an edit of train.py');
  await more.click();
  await expect(form.getByLabel('train.py')).toContainText('LEARNING_RATE = 0.04');
  await form.getByLabel('Why').press('Control+Enter');
  const mine = idea('Learning rate 0.04 by hand');
  await expect(mine).toContainText('changes train.py');
  await expect(mine).toContainText('next');
  await expect(mine).toContainText('−0.020000');
  // An unfolded idea shows its changes.
  await mine.getByRole('button', { name: 'Learning rate 0.04 by hand', exact: true }).click();
  const changes = mine.getByRole('region', { name: 'Changes of the idea: Learning rate 0.04 by hand' });
  await expect(changes).toContainText('LEARNING_RATE = 0.04');
  await expect(changes).toContainText('LEARNING_RATE = 0.02');
  await look(page, 'queue-changes', scrollsSideways);
  await mine.getByRole('button', { name: 'Learning rate 0.04 by hand', exact: true }).click();
  await expect(changes).toHaveCount(0);
  await expectIdeas(page, 'Warm up for one step in twenty', 'A deeper net', 'Learning rate 0.04 by hand');
  await expect(mine.getByRole('button', { name: 'Learning rate 0.04 by hand' })).toBeFocused();

  // Alt with an arrow key moves an idea; the arrow keys alone move the focus.
  await page.keyboard.press('Alt+ArrowUp');
  await page.keyboard.press('Alt+ArrowUp');
  await expectIdeas(page, 'Learning rate 0.04 by hand', 'Warm up for one step in twenty', 'A deeper net');
  await expect(mine.getByRole('button', { name: 'Learning rate 0.04 by hand' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(idea('A deeper net').getByRole('button', { name: 'A deeper net' })).toBeFocused();
  await page.keyboard.press('Alt+Home');
  await expectIdeas(page, 'A deeper net', 'Learning rate 0.04 by hand', 'Warm up for one step in twenty');
  await idea('A deeper net').hover();
  await idea('A deeper net').getByRole('button', { name: 'Down' }).click();
  await expectIdeas(page, 'Learning rate 0.04 by hand', 'A deeper net', 'Warm up for one step in twenty');

  // The words of an idea can be edited in the list.
  await idea('A deeper net').hover();
  await idea('A deeper net').getByRole('button', { name: 'Edit the words' }).click();
  const words = region.getByRole('form', { name: 'Words of the idea' });
  await expect(words.getByLabel('Idea', { exact: true })).toHaveValue('A deeper net');
  await page.keyboard.press('Escape');
  await expect(words).toBeHidden();
  await expect(idea('A deeper net').getByRole('button', { name: 'A deeper net' })).toBeFocused();
  await page.keyboard.press('e');
  await words.getByLabel('Idea', { exact: true }).fill('Eight layers');
  await words.getByLabel('Expected change of val_bpb').fill('-0.016');
  await look(page, 'queue-words', scrollsSideways);
  await words.getByRole('button', { name: 'Save' }).click();
  await expect(idea('Eight layers')).toContainText('−0.016000');
  await expect(idea('Eight layers').getByRole('button', { name: 'Eight layers' })).toBeFocused();

  // Undo returns a dropped idea to its place.
  await page.keyboard.press('Delete');
  await expectIdeas(page, 'Learning rate 0.04 by hand', 'Warm up for one step in twenty');
  await expect(past).toContainText('dropped');
  await look(page, 'queue-ideas', scrollsSideways);
  await region.getByRole('button', { name: 'Undo' }).click();
  await expectIdeas(page, 'Learning rate 0.04 by hand', 'Eight layers', 'Warm up for one step in twenty');
  await expect(idea('Eight layers').getByRole('button', { name: 'Eight layers' })).toBeFocused();
  await page.keyboard.press('Delete');
  await past.getByRole('button', { name: 'Put back' }).click();
  await expectIdeas(page, 'Learning rate 0.04 by hand', 'Warm up for one step in twenty', 'Eight layers');
  await page.keyboard.press('Escape');
  await expect(region).toBeHidden();
  await expectFocus(page);
  await expect(study(page).controls).toContainText('Queue · 3');
  await takePictures(page, 'queue-header');

  // The ideas are tried in turn.
  await bench.letGo();
  await expect(cellOf(page, 1).region).toContainText('Learning rate 0.04 by hand');
  await expect(study(page).header).toContainText('Ended');
  await chooseFrom(page, study(page).control('More'), 'Queue …');
  await expect(past.getByRole('button', { name: 'Experiment 1' })).toBeVisible();
  await expect(past).toContainText('keep');
  await look(page, 'queue-past', scrollsSideways);
  await past.getByRole('button', { name: 'Experiment 1' }).click();
  await expect(region).toBeHidden();
  await expect(cellOf(page, 1).panel).toBeVisible();
  expect((await bench.request(2)).idea?.hypothesis).toBe('Warm up for one step in twenty');
});

test('an experiment is tried again from its cell, with another change on top', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({ turns: TURNS });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  const cell = await openCell(page, 1);
  await expect((await openCell(page, 0)).region.getByRole('button', { name: 'Try again …' })).toHaveCount(0);
  const button = cell.region.getByRole('button', { name: 'Try again …' });
  await button.scrollIntoViewIfNeeded();
  await takePictures(page, 'queue-cell');
  await button.click();
  const form = dialog(page, 'Try #1 again');
  await expect(form.getByLabel('Idea', { exact: true })).toHaveValue('Twice as deep, again');
  await form.getByLabel('Idea', { exact: true }).fill('Eight layers instead');
  await form.getByRole('button', { name: 'Edit the files' }).click();
  await change(form.getByLabel('train.py'), 'DEPTH = 12', 'DEPTH = 8');
  await look(page, 'queue-try-again', scrollsSideways);
  await form.getByRole('button', { name: 'Add to the queue' }).click();
  await expect(form).toBeHidden();
  await expectFocus(page);
  await expect(study(page).controls).toContainText('Queue · 1');
  // A second idea from the same cell starts with the cell's words again.
  await button.click();
  await expect(form.getByLabel('Idea', { exact: true })).toHaveValue('Twice as deep, again');
  await form.getByRole('button', { name: 'Cancel' }).click();
  await study(page).control('Resume').click();
  const resume = dialog(page, 'Resume night');
  await resume.getByLabel('Experiments').fill('2');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(cellOf(page, 2).region).toContainText('Eight layers instead');
  await expect(study(page).header).toContainText('Ended');
  await expect(study(page).controls).not.toContainText('Queue');
  await openCell(page, 2, 'Diff');
  await expect(cellOf(page, 2).panel).toContainText('DEPTH = 8');
});

test('the next idea can be written while the one before is being added', async ({ page, serve, bench }) => {
  const answers = await holdAnswers(page);
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 0 });
  await expect(study(page).header).toContainText('Ended');
  await page.keyboard.press('q');
  const { line, idea } = queue(page);
  await expect(line).toBeFocused();
  await page.keyboard.type('The first');
  answers.hold();
  await page.keyboard.press('Enter');
  await line.fill('The second');
  answers.letGo();
  await expect(idea('The first')).toBeVisible();
  await expect(line).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(idea('The second')).toBeVisible();
  await expect(line).toHaveValue('');
});

test('a long queue and long words stay readable in a narrow window, and words say where nobody reads them', async ({
  page,
  serve,
  home,
  bench,
}) => {
  await page.setViewportSize({ width: 1024, height: 700 });
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  await choose(setUp(page).field('Proposer'), 'Search over constants (no network)');
  await setUp(page).field('Experiments').fill('0');
  await setUp(page).field('Name of the study').fill('night');
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('Ended');
  const long =
    `${'Use_a_single_word_that_never_ends_'.repeat(8)} and ${'then many short ones '.repeat(9)}`.trim();
  await pawl(
    { home, cwd: bench.repository },
    'propose',
    long,
    '--why',
    'Because. '.repeat(200),
    '--expect',
    '-0.01',
  );
  await page.keyboard.press('q');
  const { region, line, ideas, idea } = queue(page);
  await expect(idea(long)).toContainText('waiting for a proposer that can read');
  await line.fill('Wider');
  await expect(region).toContainText("This study's proposer (search by Gaussian process) cannot read");
  await page.keyboard.press('Enter');
  await expect(ideas).toHaveCount(2);
  await idea(long).getByRole('button', { name: long }).click();
  await look(page, 'queue-long', scrollsSideways);
  await idea(long).getByRole('button', { name: long }).click();
  fillQueue(home, 198);
  await expect(ideas).toHaveCount(200);
  await ideas.last().getByRole('button').first().focus();
  await page.keyboard.press('Alt+Home');
  await expect(ideas.first()).toHaveAccessibleName('Idea 200');
  await expect(ideas.first().getByRole('button').first()).toBeFocused();
  await takePictures(page, 'queue-200');
  expect(await scrollsSideways(page)).toEqual([]);
  await line.fill('One too many');
  await page.keyboard.press('Enter');
  await expect(page.getByText('200 ideas wait already')).toBeVisible();
  await expect(line).toHaveValue('One too many');
});
