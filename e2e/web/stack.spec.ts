import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Turn } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import {
  chooseFrom,
  dialog,
  downloadOf,
  expectFocus,
  notebook,
  openWindow,
  startStudy,
  study,
} from './support/window.ts';

const TURNS: readonly Turn[] = [
  { hypothesis: 'Double the learning rate', rationale: 'It is too low.', set: { LEARNING_RATE: '0.04' } },
  { hypothesis: 'Six layers', set: { DEPTH: '6' } },
  { hypothesis: 'Learning rate 0.06', set: { LEARNING_RATE: '0.06' } },
];

function stack(page: Page) {
  const region = dialog(page, 'Take night to Git');
  const list = region.getByRole('list', { name: 'Commits, the first at the top' });
  return {
    region,
    box: (n: number) => list.getByRole('checkbox', { name: new RegExp(`^Take #${n}: `) }),
    row: (n: number) => list.getByRole('listitem', { name: new RegExp(`^#${n} `) }),
    rows: list.getByRole('listitem'),
    outcome: region.getByTestId('outcome'),
    name: region.getByLabel('Branch name'),
    create: region.getByRole('button', { name: 'Create the branch' }),
    button: (name: string) => region.getByRole('button', { name, exact: true }),
    tab: (name: string) => region.getByRole('tab', { name }),
  };
}

async function expectOrder(page: Page, ...ns: readonly number[]): Promise<void> {
  await expect
    .poll(() =>
      stack(page).rows.evaluateAll(rows =>
        rows.map(row => Number(/\d+/.exec(row.getAttribute('aria-label') ?? '')?.[0])),
      ),
    )
    .toEqual(ns);
}

test('a night is arranged with keys and pointer, and taken to git as a branch, patches and a text', async ({
  page,
  context,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({ turns: TURNS });
  await bench.git('config', 'user.name', 'Ada');
  await bench.git('config', 'user.email', 'ada@localhost');
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: TURNS.length });
  await expect(study(page).header).toContainText('Ended');
  const { region, box, row, outcome, name, create, button, tab } = stack(page);

  await page.keyboard.press('g');
  await expect(outcome).toContainText('Exactly this was measured as #3: val_bpb');
  await expect(name).toBeFocused();
  await expectOrder(page, 1, 2, 3);
  await expect(row(2)).toContainText('measured');
  await expect(row(2)).toContainText('1 added');
  await look(page, 'stack-chosen');

  // Both experiments change the same line, so the later one cannot come first.
  await box(1).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(box(3)).toBeFocused();
  await page.keyboard.press('Alt+Home');
  await expectOrder(page, 3, 1, 2);
  await expect(box(3)).toBeFocused();
  await expect(region.getByRole('status')).toHaveText('#3 is now 1 of 3.');
  await expect(row(3)).toContainText('conflict in train.py');
  await expect(row(2)).toContainText('measured');
  await expect(outcome).toContainText('#3 (train.py) conflicts with the commits before');
  await expect(create).toBeDisabled();
  await look(page, 'stack-conflict');
  await button('Leave out what conflicts').click();
  await expect(row(3)).toContainText('left out');
  await expect(outcome).toContainText('Exactly this was measured as #2');
  await button('As kept').click();
  await expect(outcome).toContainText('Exactly this was measured as #3');

  // Space unchecks a commit, dragging moves it, and Enter unfolds it.
  await box(3).focus();
  await page.keyboard.press('Space');
  await expect(outcome).toContainText('Exactly this was measured as #2');
  await row(1).getByText('Double the learning rate').dragTo(row(3).getByText('Learning rate 0.06'));
  await expectOrder(page, 2, 1, 3);
  await expect(row(2)).toContainText('untested');
  await expect(row(1)).toContainText('measured as #2');
  await box(2).focus();
  await page.keyboard.press('Enter');
  await expect(region.getByRole('region', { name: 'Changes of experiment 2' })).toContainText('DEPTH = 6');

  // A combination that was never trained can be added to the queue.
  await box(1).uncheck();
  await expect(outcome).toContainText('This combination was not measured as a whole.');
  await button('Add it to the queue').click();
  await expect(page.getByText('“Stack of #2” waits in the queue')).toBeVisible();
  await row(2).hover();
  await expect(button('Try without #1')).toBeDisabled();

  await region.getByRole('switch', { name: 'Sign off as Ada <ada@localhost>' }).check();
  await name.fill('main');
  await create.click();
  await expect(name).toHaveAccessibleDescription(/The branch main already exists/);
  await name.fill('deeper');
  await create.click();
  await expect(region).toBeHidden();
  await expectFocus(page);
  await expect(notebook(page).mark(/^Branch deeper made of #2/)).toBeVisible();
  await expect(study(page).controls).toContainText('Queue · 1');
  expect(await bench.git('log', '--format=%an: %s', 'main..deeper')).toBe('Ada: Six layers');
  expect(await bench.git('log', '-1', '--format=%B', 'deeper')).toContain(
    'Pawl-Experiment: 2\nSigned-off-by: Ada <ada@localhost>',
  );
  expect(await bench.git('status', '--porcelain')).toBe('');

  await chooseFrom(page, study(page).control('More'), 'Take to Git …');
  await tab('Patches').click();
  const folder = await mkdtemp(join(tmpdir(), 'pawl-patches-'));
  try {
    await region.getByLabel('Folder on this machine').fill(join(bench.repository, 'out'));
    await button('Write the patches').click();
    await expect(region.getByLabel('Folder on this machine')).toHaveAccessibleDescription(
      /lies in your checkout/,
    );
    await region.getByLabel('Folder on this machine').fill(folder);
    await button('Write the patches').click();
    await expect(page.getByText(`3 patches written to ${folder}.`)).toBeVisible();
    expect(await readdir(folder)).toEqual([
      '0001-Double-the-learning-rate.patch',
      '0002-Six-layers.patch',
      '0003-Learning-rate-0.06.patch',
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
  const file = await downloadOf(page, () => button('Download as one file').click());
  expect(file.name).toBe('night.mbox');
  expect(file.bytes.toString()).toContain('Subject: [PATCH 3/3] Learning rate 0.06');

  await tab('Pull request').click();
  await expect(region.getByLabel('Title', { exact: true })).toHaveValue(
    /^Take val_bpb from .* with 3 changes$/,
  );
  await look(page, 'stack-pull-request');
  await button('Copy the text').click();
  await expect(page.getByText('The text is copied.')).toBeVisible();
  const words = await page.evaluate(() => navigator.clipboard.readText());
  expect(words).toContain('| Double the learning rate |');
  expect(words).not.toContain(bench.folder);
});
