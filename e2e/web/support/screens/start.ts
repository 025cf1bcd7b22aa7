import { expect } from '@playwright/test';
import { choose } from '../../../choose.ts';
import { browseTo, chooseModel, dialog, openWindow, runCommand, setUp, welcome } from '../window.ts';
import { ofNight, type Screen } from './stage.ts';

/** Screens before there is a study, and of its set-up. */
export const START: readonly Screen[] = [
  {
    name: 'welcome-empty',
    open: async ({ page, serve }) => {
      await openWindow(page, await serve());
      return welcome(page).sample;
    },
  },
  {
    name: 'welcome',
    open: async ({ page, night }) => {
      await openWindow(page, night.server);
      return welcome(page).recent('byte-model');
    },
  },
  {
    name: 'folder',
    open: async ({ page, night }) => {
      await openWindow(page, night.server);
      const folders = await browseTo(page, night.bench.folder);
      return folders.getByRole('button', { name: 'Open byte-model' });
    },
  },
  {
    name: 'set-up',
    open: async ({ page, night }) => {
      await openWindow(page, night.server);
      await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
      await expect(setUp(page).checks.getByRole('img').first()).toBeVisible();
      return setUp(page).start;
    },
  },
  {
    name: 'set-up-refused',
    open: async ({ page, night }) => {
      await openWindow(page, night.server);
      await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
      await setUp(page).unfold('What may change, and how to train');
      await setUp(page).unfold('Which number counts');
      await setUp(page).field('Training command').fill('no-such-program train.py');
      await expect(setUp(page).failedChecks).toHaveCount(1);
      await setUp(page).field('Metric').fill('two: words');
      await setUp(page).field('Budget (seconds)').fill('soon');
      return page.getByText(/must be a name as it is printed before the colon/i);
    },
  },
  {
    name: 'set-up-model',
    open: async ({ page, night, answer }) => {
      const model = await answer(() => ({ kind: 'hang' }));
      await openWindow(page, night.server);
      await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
      await chooseModel(page, model.url);
      await setUp(page).unfold('More about the proposer');
      await setUp(page).field('Cap for a night (US$)').fill('5');
      return page.getByText('2 models offered');
    },
  },
  {
    name: 'set-up-agent',
    open: async ({ page, night }) => {
      await openWindow(page, night.server);
      await welcome(page).recent('byte-model').getByRole('button', { name: 'New study' }).click();
      await choose(setUp(page).field('Proposer'), 'An agent on the command line');
      await setUp(page).unfold('More about the proposer');
      await page.getByRole('button', { name: 'Add another proposer' }).click();
      await choose(setUp(page).field('How they work together'), 'In turns');
      const status = page.getByText(/Not installed on this machine|signed in|no sign-in seen/);
      await status.scrollIntoViewIfNeeded();
      return status;
    },
  },
  {
    name: 'refused',
    open: async ({ page, night }) => {
      await page.goto(`http://127.0.0.1:${night.server.port}/`);
      return page.getByRole('alert');
    },
  },
  {
    name: 'import',
    open: async stage => {
      await ofNight(stage);
      await runCommand(stage.page, 'import', 'Import results from elsewhere');
      return dialog(stage.page, 'Import results from elsewhere').getByLabel('Path of a file or folder');
    },
  },
  {
    name: 'import-question',
    open: async stage => {
      await ofNight(stage);
      await runCommand(stage.page, 'import', 'Import results from elsewhere');
      const form = dialog(stage.page, 'Import results from elsewhere');
      await form.getByLabel('File of results').setInputFiles({
        name: 'two.tsv',
        mimeType: 'text/plain',
        buffer: Buffer.from('id\tquux\tgrault\tstatus\n1\t4\t2\tkeep\n'),
      });
      return form.getByLabel('Which of these is the metric?');
    },
  },
];
