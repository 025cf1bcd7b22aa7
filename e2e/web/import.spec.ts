import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PAWL_MAIN } from '../../test/support/pawl-command.ts';
import { UPSTREAM } from '../../test/support/tables.ts';
import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import {
  cellOf,
  dialog,
  notebook,
  openCell,
  openWindow,
  runCommand,
  sidebar,
  study,
} from './support/window.ts';

const TRACKERS = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'trackers');

const IMPORT = 'Import results from elsewhere';

test('a table that is dropped on the window is a notebook without invented facts', async ({
  page,
  serve,
}) => {
  await openWindow(page, await serve());
  const dropped = await page.evaluateHandle(text => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], 'night.tsv', { type: 'text/tab-separated-values' }));
    return transfer;
  }, UPSTREAM);
  const target = page.getByRole('region', { name: 'Welcome' });
  await target.dispatchEvent('dragover', { dataTransfer: dropped });
  await expect(page.getByText('Drop a repository to open it, or results to import them')).toBeVisible();
  await target.dispatchEvent('drop', { dataTransfer: dropped });
  await expect(study(page).heading).toHaveText('night');
  await expect(study(page).best).toHaveText('0.993200');
  await expect(study(page).header).toContainText('imported from night.tsv');
  await expect(notebook(page).rows).toHaveCount(4);
  await expect(notebook(page).axis('By time')).toBeHidden();
  await expect(cellOf(page, 1).region).not.toContainText(/ago|now/);
  const cell = await openCell(page, 1);
  await expect(cell.section('Numbers')).toContainText('imported: description');
  await expect(cell.section('Numbers')).not.toContainText(/cost|began|CPU time|proposed|parent/);
  await expect(cell.panel).not.toContainText('The proposer gave no reason');
  await expect(study(page).header).toContainText('4 tried');
  await expect(study(page).header).not.toContainText(/\$|tokens|power|ends/);
  await cell.tab('Curves').click();
  await expect(cell.panel).toHaveText('This experiment was run elsewhere. No curve came with it.');
  await cell.tab('Diff').click();
  await expect(cell.panel).toHaveText('This experiment was run elsewhere. It has no diff here.');
  await cell.tab('Log').click();
  await expect(cell.panel).toHaveText('This experiment was run elsewhere. It has no log here.');
});

test('what a table leaves open is asked, and what was skipped is listed', async ({ page, serve }) => {
  await openWindow(page, await serve());
  await page.getByRole('button', { name: 'Import results …' }).click();
  const form = dialog(page, IMPORT);
  await form.getByLabel('File of results').setInputFiles({
    name: 'two.tsv',
    mimeType: 'text/plain',
    buffer: Buffer.from('id\tquux\tgrault\tstatus\n1\t4\t2\tkeep\na note\n2\t5\t1\tpending\n'),
  });
  await choose(form.getByLabel('Which of these is the metric?'), 'grault');
  await form.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(form).toContainText('Is a lower or a higher grault better?');
  await form.getByRole('button', { name: 'Lower is better' }).click();
  await expect(form).toContainText('2 experiments imported as two. grault: lower is better, as you chose.');
  await expect(form.getByRole('region', { name: 'Skipped' })).toContainText('line 3: is a note, not a row.');
  await form.getByRole('button', { name: 'Open the notebook' }).click();
  await expect(study(page).heading).toHaveText('two');
  await expect(cellOf(page, 1).region).toContainText('other');
  await expect(cellOf(page, 1).region).toContainText('pending');
  await notebook(page).verdict('other').click();
  await expect(notebook(page).rows).toHaveCount(1);
});

test('what is no table is refused beside the path, and the palette leads to it too', async ({
  page,
  serve,
  home,
}) => {
  await openWindow(page, await serve());
  await runCommand(page, 'import', IMPORT);
  const form = dialog(page, IMPORT);
  await form.getByLabel('Path of a file or folder').fill(join(home, 'none.tsv'));
  await form.getByLabel('Path of a file or folder').press('Enter');
  await expect(form).toContainText('cannot be read');
});

test('runs of a tracker have their curves', async ({ page, serve }) => {
  await openWindow(page, await serve());
  await runCommand(page, 'import', IMPORT);
  const path = dialog(page, IMPORT).getByLabel('Path of a file or folder');
  await path.fill(join(TRACKERS, 'wandb-offline', 'wandb'));
  await path.press('Enter');
  await expect(study(page).heading).toHaveText('wandb');
  await expect(study(page).header).toContainText('1 crashed, 2 other');
  const cell = await openCell(page, 2);
  await expect(cell.section('Numbers')).toContainText('settings.lr');
  await cell.tab('Curves').click();
  await expect(cell.panel.getByRole('img').first()).toBeVisible();
  await expect(cell.panel).not.toContainText(/budget|not sampled/);
});

test('what the terminal imports appears in the open window', async ({ page, serve, home }) => {
  await openWindow(page, await serve());
  const args = [PAWL_MAIN, 'import', join(TRACKERS, 'trackio', 'demo.db'), '--tag', 'demo'];
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, PAWL_HOME: home } });
  await sidebar(page).study('demo').click();
  await expect(notebook(page).rows).toHaveCount(3);
});
