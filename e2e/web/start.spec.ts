import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSandbox } from '../../src/engine/sandbox/find-sandbox.ts';
import { TEST_LIMIT_MS } from '../../test/support/clock.ts';
import { choose } from '../choose.ts';
import { git, makeRepository } from './support/bench.ts';
import { CORE, expect, test } from './support/fixtures.ts';
import {
  browseTo,
  cellOf,
  expectNoticeBeside,
  notebook,
  openCell,
  openProject,
  openWindow,
  setUp,
  sidebar,
  startStudy,
  study,
  welcome,
} from './support/window.ts';

test('from the first start the sample is running after two clicks', async ({ page, serve }) => {
  // Training and scoring take half a minute of processor time, and run again if the machine was too busy to be fair.
  test.slow();
  await openWindow(page, await serve({ sandbox: 'preferred' }));
  await expect(page.getByRole('heading', { name: 'New here? Start with the sample' })).toBeVisible();
  await welcome(page).sample.click();
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('Running');
  await expect(cellOf(page, 0).region).toContainText('keep', { timeout: 2 * TEST_LIMIT_MS });
  await expect(study(page).best).toHaveText(/^\d\.\d{4,}$/);
  await expect(cellOf(page, 1).region).toBeVisible();
  // The run is contained if the machine has a sandbox.
  const word = (await findSandbox(process.env)).kind === 'none' ? 'none' : 'contained';
  await expect((await openCell(page, 0)).section('Numbers')).toContainText(`sandbox${word}`);
});

test('another sample opens from the first screen, with its contract', async ({ page, serve }) => {
  await openWindow(page, await serve());
  await welcome(page).region.getByRole('button', { name: 'Open fast-text' }).click();
  await expect(setUp(page).heading).toHaveText('New study in fast-text');
  await expect(page.getByText('From pawl.toml')).toBeVisible();
  await expect(setUp(page).field('Metric')).toHaveValue('speed');
});

test('a pasted path leads to a study of that repository', CORE, async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  // Some file managers put quotes and spaces around a copied path.
  await welcome(page).path.fill(` '${bench.repository}' `);
  await welcome(page).path.press('Enter');
  await expect(setUp(page).heading).toHaveText('New study in byte-model');
  await expect(page.getByText('From pawl.toml')).toBeVisible();
  await expect(setUp(page).field('Metric')).toHaveValue('val_bpb');
  await expect(setUp(page).field('Editable files')).toHaveValue('train.py');
  await expect(setUp(page).checks.getByRole('img', { name: 'ok' }).first()).toBeVisible();
  await setUp(page).field('Experiments').fill('1');
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('Ended');
  await expect(notebook(page).rows).toHaveCount(2);
  await expect(sidebar(page).region).toContainText('1 tried');
});

test('a folder is found by browsing', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  const folders = await browseTo(page, bench.folder);
  await folders.getByRole('button', { name: 'Open byte-model' }).click();
  await expect(setUp(page).heading).toHaveText('New study in byte-model');
});

test('what is no repository is refused beside the path', CORE, async ({ page, serve, home }) => {
  await openWindow(page, await serve());
  await welcome(page).open.click();
  await expect(welcome(page).path).toHaveAccessibleDescription('Write or paste the path of a repository.');
  await welcome(page).path.fill(home);
  await welcome(page).open.click();
  await expect(welcome(page).path).toHaveAccessibleDescription(/repository/);
  await expect(welcome(page).path).toHaveAttribute('aria-invalid', 'true');
  await welcome(page).path.fill(`${home}/nowhere`);
  await expect(welcome(page).path).toHaveAttribute('aria-invalid', 'false');
});

test('a metric that no output can name is refused at its field', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  await setUp(page).unfold('Which number counts');
  const metric = setUp(page).field('Metric');
  await metric.fill('validation: loss');
  await expect(metric).toHaveAccessibleDescription(/must be a name as it is printed before the colon/i);
  await setUp(page).start.click();
  await expect(page.getByText('Correct the marked fields first.')).toBeVisible();
  await expect(setUp(page).heading).toBeVisible();
  await metric.fill('');
  await expect(metric).toHaveAccessibleDescription('Name the number that counts.');
  await metric.fill('val_bpb');
  await setUp(page).field('Hours').fill('two');
  await expect(setUp(page).field('Hours')).toHaveAccessibleDescription('Write a number.');
  await setUp(page).field('Hours').fill('');
  await expect(page.getByText('Correct the marked fields first.')).toBeHidden();
});

test(
  'a failing check keeps the study from starting until it is mended',
  CORE,
  async ({ page, serve, bench }) => {
    await openWindow(page, await serve());
    await openProject(page, bench.repository);
    await setUp(page).unfold('What may change, and how to train');
    await setUp(page).field('Training command').fill('no-such-program train.py');
    await expect(setUp(page).failedChecks).toContainText('no-such-program');
    await expect(setUp(page).start).toBeDisabled();
    await setUp(page).field('Editable files').fill('nowhere.py');
    await expect(setUp(page).failedChecks).toHaveCount(2);
    await setUp(page).field('Training command').fill('sh -c true');
    await setUp(page).field('Editable files').fill('train.py');
    await expect(setUp(page).failedChecks).toHaveCount(0);
    await expect(setUp(page).start).toBeEnabled();
  },
);

test('a name that another study has is refused', async ({ page, serve, bench }) => {
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'first', experiments: 0 });
  await expect(study(page).header).toContainText('Ended');
  await sidebar(page).button('Open a project').click();
  await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
  await expect(setUp(page).field('Name of the study')).not.toHaveValue('first');
  await setUp(page).field('Name of the study').fill('first');
  await expect(setUp(page).failedChecks).toContainText('first');
  await expect(setUp(page).start).toBeDisabled();
});

test('one study runs at a time', async ({ page, serve, bench }) => {
  await bench.hold();
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'first', experiments: 1 });
  await sidebar(page).button('Open a project').click();
  await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
  await expect(page.getByText('first is running: one study runs at a time, so stop it first.')).toBeVisible();
  await expect(setUp(page).start).toBeDisabled();
  await bench.letGo();
  await expect(setUp(page).start).toBeEnabled();
});

test('a repository Pawl knows nothing of is described in the form', async ({ page, serve, home }) => {
  const repository = join(home, 'plain');
  await makeRepository(repository, { 'fit.sh': 'RATE=4\necho "score: $RATE"\n' });
  await openWindow(page, await serve());
  await openProject(page, repository);
  await expect(page.getByText('Nothing recognised')).toBeVisible();
  await expect(page.getByText('The checks start once the fields say what may change')).toBeVisible();
  await setUp(page).start.click();
  await expect(page.getByText('Name at least one file that may change.')).toBeVisible();
  await expect(page.getByText('Correct the marked fields first.')).toBeVisible();
  await setUp(page).field('Editable files').fill('fit.sh');
  await setUp(page).field('Training command').fill('sh fit.sh');
  await setUp(page).field('Metric').fill('score');
  await choose(setUp(page).field('Better is'), 'higher');
  await setUp(page).field('Experiments').fill('2');
  await page.getByRole('button', { name: 'Save as pawl.toml' }).click();
  await expect(page.getByText('pawl.toml was written.')).toBeVisible();
  await expectNoticeBeside(page, setUp(page).start);
  await setUp(page).checks.getByRole('button', { name: 'Check again' }).click();
  await expect(setUp(page).checks).toContainText('1 uncommitted change: a study starts from the last commit');
  expect(await git(repository, 'status', '--porcelain')).toBe('?? pawl.toml');
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('Ended');
  await expect(study(page).header).toContainText('higher is better');
  await expect(notebook(page).rows).toHaveCount(3);
});

test('a project is taken off the list, and one that is gone is said to be', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  await expect(setUp(page).heading).toBeVisible();
  await rename(bench.repository, `${bench.repository}-moved`);
  await writeFile(join(bench.folder, 'note'), '');
  await page.reload();
  const recent = welcome(page).recent('byte-model');
  await expect(recent).toContainText('no longer exists');
  await expect(recent.getByRole('button', { name: 'New study' })).toBeDisabled();
  await recent.getByRole('button', { name: 'Take byte-model off the list' }).click();
  await expect(recent).toBeHidden();
});
