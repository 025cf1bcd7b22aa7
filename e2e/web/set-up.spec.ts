import type { Page } from '@playwright/test';
import { LANE_WORDS_HINT } from '../../src/shared/machines/lanes.ts';
import type { Bench } from './support/bench.ts';
import { CORE, expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import type { Server } from './support/server.ts';
import {
  cellOf,
  dialog,
  openWindow,
  type SetUpGroup,
  setUp,
  startStudy,
  study,
  welcome,
} from './support/window.ts';

const GROUPS: readonly SetUpGroup[] = [
  'More about the proposer',
  'When else to stop',
  'What may change, and how to train',
  'Which number counts',
  'How the number is found and judged',
  'What the training can reach',
];

async function openSetUp(page: Page, server: Server, bench: Bench): Promise<void> {
  await openWindow(page, server);
  await welcome(page).path.fill(bench.repository);
  await welcome(page).open.click();
  await expect(setUp(page).checks.getByRole('img').first()).toBeVisible();
}

test('the name comes first, and a start is few steps away', CORE, async ({ page, serve, bench }) => {
  await openSetUp(page, await serve(), bench);
  const form = setUp(page);
  await form.field('Name of the study').focus();
  const stops: string[] = [];
  await expect(form.start).toBeEnabled();
  while (!(await form.start.evaluate(button => button === document.activeElement))) {
    await page.keyboard.press('Tab');
    stops.push(
      await page.evaluate(() => {
        const { activeElement: at } = document;
        return at?.id ? (document.querySelector(`label[for="${at.id}"]`)?.textContent ?? '') : '';
      }),
    );
    expect(stops.length).toBeLessThan(16);
  }
  expect(stops.slice(0, 3)).toEqual(['Proposer', 'Experiments', 'Hours']);
});

test('folded groups say what is in them', CORE, async ({ page, serve, bench }) => {
  await openSetUp(page, await serve(), bench);
  const form = setUp(page);
  for (const name of GROUPS) await expect(form.group(name)).not.toHaveAttribute('open');
  await expect(form.group('Which number counts')).toContainText('val_bpb, lower is better · 2 s a run');
  await expect(form.group('What may change, and how to train')).toContainText('train.py · ');
  await expect(form.group('What the training can reach')).toContainText(
    'in a sandbox where this machine has one',
  );
  await expect(form.group('When else to stop')).toContainText('after 10 crashes in a row');
  await expect(form.group('More about the proposer')).toContainText('runs without your approval');
  await form.unfold('More about the proposer');
  await page.getByRole('switch', { name: /^Wait for my approval/ }).check();
  await expect(form.group('More about the proposer')).toContainText('waits for your approval');
  await form.group('More about the proposer').locator('summary').click();
  await look(page, 'set-up-folded');
});

test('a field that is not right opens its group and has the focus', CORE, async ({ page, serve, bench }) => {
  await openSetUp(page, await serve(), bench);
  const form = setUp(page);
  await form.unfold('When else to stop');
  await form.field('Patience').fill('long');
  await form.group('When else to stop').locator('summary').click();
  await expect(form.field('Patience')).toBeHidden();
  await form.start.click();
  await expect(form.field('Patience')).toBeFocused();
  await expect(form.field('Patience')).toHaveAccessibleDescription('Write a number.');
  await expect(form.group('Which number counts')).not.toHaveAttribute('open');
  await form.field('Name of the study').fill('my study');
  await expect(form.field('Name of the study')).toHaveAccessibleDescription(/letters, digits/);
});

test('Ctrl+Enter starts the study from anywhere', CORE, async ({ page, serve, bench }) => {
  await openSetUp(page, await serve(), bench);
  await setUp(page).field('Experiments').fill('0');
  await setUp(page).unfold('What may change, and how to train');
  // In a field of several lines, Enter alone starts a new line.
  await setUp(page).field('Locked files').focus();
  await expect(setUp(page).start).toBeEnabled();
  await page.keyboard.press('Control+Enter');
  await expect(study(page).header).toContainText('Ended');
});

test(
  'lanes are named in the set-up, and the live view has a tile for each',
  CORE,
  async ({ page, serve, bench }) => {
    await openSetUp(page, await serve(), bench);
    const form = setUp(page);
    await form.unfold('What the training can reach');
    await form.field('Lanes').fill('cpu:2, core');
    await form.start.click();
    await expect(form.field('Lanes')).toBeFocused();
    await expect(form.field('Lanes')).toHaveAccessibleDescription(LANE_WORDS_HINT);
    await expect(page.getByText(LANE_WORDS_HINT)).toBeInViewport({ ratio: 1 });
    await look(page, 'set-up-lanes-wrong');
    await form.field('Lanes').fill('cpu:2');
    await expect(form.group('What the training can reach')).toContainText('lanes cpu:2');
    await form.start.click();
    await expect(study(page).header).toContainText('lanes cpu:2');
    // The baseline trains alone. After it, the runs of both lanes are held.
    await expect(cellOf(page, 1).region).toBeVisible();
    await bench.hold();
    await study(page).tab('Live').click();
    const tiles = page.getByRole('list', { name: 'Lanes' }).getByRole('listitem');
    await expect(tiles).toHaveCount(2);
    await expect(tiles.first()).toContainText(/#\d+/);
    await expect(study(page).header).toContainText(/[12] of 2 experiments training/);
    await tiles.last().click();
    await expect(tiles.last().getByRole('button')).toHaveAttribute('aria-pressed', 'true');
    await look(page, 'live-lanes');
    await bench.letGo();
  },
);

test('a study resumes in its lanes, in others, or one at a time', CORE, async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 0, lanes: 'cpu:1' });
  await expect(study(page).header).toContainText('Ended');
  await study(page).control('Resume').click();
  const resume = dialog(page, 'Resume night');
  const lanes = resume.getByLabel('Lanes');
  await expect(lanes).toHaveValue('cpu:1');
  await lanes.fill('everywhere');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(lanes).toHaveAccessibleDescription(LANE_WORDS_HINT);
  await look(page, 'resume-lanes-wrong');
  await lanes.fill('');
  await resume.getByLabel('Experiments').fill('1');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume).toBeHidden();
  await expect(study(page).header).not.toContainText('lanes');
  await expect(study(page).header).toContainText('Ended');
});
