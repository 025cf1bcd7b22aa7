import type { Locator, Page } from '@playwright/test';
import { choose } from '../choose.ts';
import { CORE, expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import {
  cellOf,
  chooseFrom,
  dialog,
  expectFocus,
  focusedBy,
  notebook,
  openCell,
  openWindow,
  sidebar,
  startStudy,
  study,
} from './support/window.ts';

test('cells appear while the study runs, and its numbers move', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await bench.hold();
  const pills = await watchHeader(page);
  await startStudy(page, bench, { tag: 'night', experiments: 2 });
  await expect(cellOf(page, 0).region).toContainText('training');
  // The header never says that the study has not started.
  expect(await pills()).not.toContain('Not started');
  await expect(study(page).header).toContainText('0 tried');
  await expect(study(page).running).toContainText('Experiment 0');
  await expect(study(page).running.getByRole('progressbar')).toBeVisible();
  await expect(study(page).best).toHaveText('–');
  await bench.letGo();
  await expect(cellOf(page, 0).region).toContainText('keep');
  await expect(study(page).best).toHaveText('1.299000');
  await notebook(page).chart.focus();
  await page.keyboard.press('+');
  await expect(notebook(page).chart.getByRole('button', { name: 'Show all' })).toBeVisible();
  await expect(notebook(page).rows).toHaveCount(3);
  await expect(cellOf(page, 2).region).toContainText('discard');
  await expect(notebook(page).mark('Started with proposer command')).toBeVisible();
  await expect(study(page).header).toContainText('Ended');
  await expect(study(page).running).toBeHidden();
  await expect(notebook(page).chart).toHaveAccessibleName(/^val_bpb over 2 experiments/);
  // The new experiments have not moved the part of the chart that the user looks at.
  await expect(notebook(page).chart.getByRole('button', { name: 'Show all' })).toBeVisible();
});

/** Records every text that the header shows from now on. */
async function watchHeader(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    const note = () => seen.push(document.querySelector('main > div > header')?.textContent ?? '');
    new MutationObserver(note).observe(document.body, {
      ...{ subtree: true, childList: true, characterData: true },
    });
    Object.assign(window, { seen });
  });
  return () => page.evaluate(() => (window as unknown as { seen: readonly string[] }).seen.join('\n'));
}

test('the header says which of how many it is, when that ends, and how many were tried', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 300 });
  const { header } = study(page);
  // The number may be any: if the page opens slowly, the first experiments have already ended.
  await expect(header).toContainText(/#[1-9]\d* of 300/);
  await bench.hold();
  const n = await bench.untilHeld();
  await expect(header).toContainText(`#${n} of 300`);
  await expect(header).toContainText(/ends about (?:\w+ )?(?:\d+ )?\d\d:\d\d/);
  await expect(header).toContainText(`${n - 1} tried`);
  await expect(sidebar(page).region).toContainText(`${n - 1} tried`);
  await look(page, 'pace');
  const pills = await watchHeader(page);
  await chooseFrom(page, study(page).control('Stop'), 'Stop after this experiment');
  await bench.letGo();
  await expect(header).toContainText('Stopped');
  await expect(header).toContainText(`${n} tried`);
  await study(page).control('Resume').click();
  await bench.hold();
  await dialog(page, 'Resume night').getByRole('button', { name: 'Resume' }).click();
  await expect(dialog(page, 'Resume night')).toBeHidden();
  await expect(study(page).control('Resume')).toBeHidden();
  await bench.untilHeld();
  expect(await pills()).toContain('Starting …');
});

test('the live view shows the curve, the terminal and the machine of what trains', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await bench.hold(1);
  await startStudy(page, bench, { tag: 'night', experiments: 5 });
  await expect(cellOf(page, 0).region).toContainText('keep');
  const n = await bench.untilHeld();
  await study(page).tab('Live').click();
  const curve = page.getByRole('region', { name: 'Live curve' });
  await expect(curve).toContainText(`#${n} Another order of the data, seed ${n}`);
  await expect(curve.getByRole('definition').nth(1)).toHaveText(/^1\d$/);
  await expect(curve.getByRole('img', { name: 'Live loss against the incumbent' })).toBeVisible();
  await choose(curve.getByLabel('Horizontal axis'), 'by time since the first step');
  const terminal = page.getByRole('region', { name: `Output of experiment ${n}` });
  await expect(terminal).toContainText('step 00015');
  // Every line of the output starts at the left edge.
  await page.setViewportSize({ width: 1280, height: 1400 });
  const searched = await focusedBy(page, '.xterm textarea', { key: 'f', ctrlKey: true });
  expect(searched).toBe(`Search in Output of experiment ${n}`);
  await page.keyboard.press('Escape');
  const lines = terminal.locator('.xterm-rows > div');
  await expect(lines.filter({ hasText: 'shard 039' })).toHaveCount(1);
  expect(await lines.filter({ hasText: 'shard 039' }).evaluate(line => line.textContent)).toMatch(/^shard/);
  // In a narrow window too, a line that overwrites itself stays one line with its full length.
  await page.setViewportSize({ width: 820, height: 1400 });
  await expect(lines.filter({ hasText: 'step 0' })).toHaveText(/^step 00015 .* remaining: \d+s/);
  await expect(lines.filter({ hasText: 'epoch' })).toHaveCount(1);
  await expect(page.getByRole('complementary', { name: 'Machine now' })).toContainText('CPU');
  // The rest of a line that is wider than the window is a key away.
  const screen = terminal.locator('.xterm').locator('..');
  const sideways = () => screen.evaluate(element => element.scrollLeft);
  await terminal.getByRole('textbox').first().focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(sideways).toBeGreaterThan(0);
  await page.keyboard.press('ArrowLeft');
  await expect.poll(sideways).toBe(0);
  // A window that opens while the training prints nothing also shows its progress.
  await page.reload();
  await study(page).tab('Live').click();
  await expect(curve.getByRole('definition').nth(1)).toHaveText('14');
  // The chosen axis is kept.
  await expect(curve.getByLabel('Horizontal axis')).toHaveText('by time since the first step');
  await choose(curve.getByLabel('Horizontal axis'), 'by step');
  await expect(curve).toContainText(new RegExp(`#${n}, live by step: first 4\\.\\d+, last 1\\.15`));
  await bench.letGo();
  await expect(page.getByText('Nothing runs')).toBeVisible();
});

test('the live curve is placed by tokens where the training counts them, beside the incumbent at the same tokens', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({ countsTokens: true });
  await openWindow(page, await serve());
  await bench.hold(1);
  await startStudy(page, bench, { tag: 'night', experiments: 5 });
  await expect(cellOf(page, 0).region).toContainText('keep');
  const n = await bench.untilHeld();
  await study(page).tab('Live').click();
  const curve = page.getByRole('region', { name: 'Live curve' });
  await choose(curve.getByLabel('Horizontal axis'), 'by tokens');
  await expect(curve).toContainText(
    new RegExp(`#${n}, live by tokens trained on: first 4\\.\\d+, last 1\\.15`),
  );
  const lines = curve.locator('path.recharts-curve');
  await expect(lines).toHaveCount(2);
  const width = async (line: Locator) => (await line.boundingBox())?.width ?? Number.NaN;
  // The first line is the incumbent's, the last one is live. The run is held at half of its steps.
  const share = (await width(lines.last())) / (await width(lines.first()));
  expect(share).toBeGreaterThan(0.45);
  expect(share).toBeLessThan(0.5);
  await bench.letGo();
});

test('a pause waits for the experiment, and nothing trains until the user continues', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 2 });
  await expect(cellOf(page, 0).region).toContainText('training');
  await study(page).control('Pause').click();
  await expect(study(page).header).toContainText('pauses after this one');
  await study(page).control('Do not pause').click();
  await expect(study(page).header).not.toContainText('pauses after this one');
  await study(page).control('Pause').click();
  await expect(study(page).header).toContainText('pauses after this one');
  await bench.letGo();
  await expect(study(page).header).toContainText('Paused. Nothing trains until you continue.');
  await expect(notebook(page).rows).toHaveCount(1);
  await expect(notebook(page).mark('Paused')).toBeVisible();
  await study(page).control('Continue').click();
  await expect(notebook(page).mark('Continued')).toBeVisible();
  await expect(notebook(page).rows).toHaveCount(3);
  await expect(study(page).header).toContainText('Ended');
});

test('a stop after this experiment finishes it', CORE, async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 5 });
  await expect(cellOf(page, 0).region).toContainText('training');
  await chooseFrom(page, study(page).control('Stop'), 'Stop after this experiment');
  await expect(study(page).header).toContainText('stops after this one');
  await expectFocus(page);
  await bench.letGo();
  await expect(study(page).header).toContainText('Stopped');
  await expect(cellOf(page, 0).region).toContainText('keep');
  await expect(notebook(page).rows).toHaveCount(1);
});

test('a stop now asks first, and the interrupted experiment is run again', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await bench.hold(1);
  await startStudy(page, bench, { tag: 'night', experiments: 3 });
  await expect(cellOf(page, 0).region).toContainText('keep');
  const held = await bench.untilHeld();
  const question = dialog(page, 'Stop now?');
  await chooseFrom(page, study(page).control('Stop'), 'Stop now …');
  await expect(question).toContainText(`Experiment ${held} is ended at once`);
  await question.getByRole('button', { name: 'Keep running' }).click();
  await expect(question).toBeHidden();
  await expectFocus(page);
  await expect(study(page).header).toContainText('Running');
  await chooseFrom(page, study(page).control('Stop'), 'Stop now …');
  await question.getByRole('button', { name: 'Stop now' }).click();
  await expect(study(page).header).toContainText('Stopped');
  await expectFocus(page);
  await expect(cellOf(page, held).region).toContainText('interrupted');

  await bench.letGo();
  await study(page).control('Resume').click();
  const resume = dialog(page, 'Resume night');
  await expect(resume.getByLabel('Experiments')).toHaveValue('3');
  await resume.getByLabel('Experiments').fill('many');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume.getByRole('alert')).not.toBeEmpty();
  await resume.getByLabel('Experiments').fill(String(held));
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume).toBeHidden();
  await expect(cellOf(page, held).region).toContainText('discard');
  await expect(study(page).header).toContainText('Ended');
  await expect(notebook(page).rows).toHaveCount(held + 1);
});

test('a steering note stands in the notebook and reaches the proposer', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(cellOf(page, 0).region).toContainText('training');
  await study(page).control('Steer').click();
  const steer = dialog(page, 'Steer night');
  await expect(steer.getByLabel('Note to the proposer')).toBeFocused();
  await expect(steer.getByRole('button', { name: 'Send the note' })).toBeDisabled();
  await steer.getByLabel('Note to the proposer').fill('Leave the optimiser alone.');
  await steer.getByRole('button', { name: 'Send the note' }).click();
  await expect(steer).toBeHidden();
  await expectFocus(page);
  await expect(notebook(page).mark('You: Leave the optimiser alone.')).toBeVisible();
  await bench.letGo();
  await expect(study(page).header).toContainText('Ended');
  const { steering } = await bench.request(1);
  expect(steering.map(({ text }) => text)).toEqual(['Leave the optimiser alone.']);
});

test('closing the window does not stop the study', async ({ page, context, serve, bench }) => {
  const server = await serve();
  await openWindow(page, server);
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 2 });
  await expect(cellOf(page, 0).region).toContainText('training');
  await page.close();
  await bench.letGo();
  // No window is open, so the study itself must have asked for the second proposal.
  await expect(() => bench.request(2)).toPass();
  const next = await context.newPage();
  await openWindow(next, server);
  await sidebar(next).study('night').click();
  await expect(study(next).header).toContainText('Ended');
  await expect(notebook(next).rows).toHaveCount(3);
});

test('the best is made a branch, and a taken name is refused in the dialog', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    turns: [{ hypothesis: 'Double the learning rate', set: { LEARNING_RATE: '0.04' } }],
  });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  await chooseFrom(page, study(page).control('More'), 'Take to Git …');
  const apply = dialog(page, 'Take night to Git');
  const name = apply.getByLabel('Branch name');
  await expect(name).toHaveValue('best-of-night');
  for (const [taken, complaint] of [
    ['main', /The branch main already exists/],
    ['two words', /is not a valid branch name/],
  ] as const) {
    await name.fill(taken);
    await apply.getByRole('button', { name: 'Branch at #1 as it is' }).click();
    await expect(name).toHaveAccessibleDescription(complaint);
  }
  await name.fill('better');
  await apply.getByRole('button', { name: 'Branch at #1 as it is' }).click();
  await expect(apply).toBeHidden();
  await expectFocus(page);
  await expect(notebook(page).mark('Branch better made at #1')).toBeVisible();
  expect(await bench.git('rev-parse', 'better')).toBe(await bench.git('rev-parse', 'autoresearch/night'));
  expect(await bench.git('show', 'better:train.py')).toContain('LEARNING_RATE = 0.04');
  expect(await bench.git('branch', '--show-current')).toBe('main');
  await openCell(page, 1, 'Diff');
});
