import { expect, type Locator, type Page } from '@playwright/test';
import type { RunningModelServer, Script } from '../../../test/support/model-server.ts';
import { choose } from '../../choose.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { NIGHT_TAG, type Night } from './night.ts';
import type { Server } from './server.ts';
import {
  type CellTab,
  cellOf,
  chooseFrom,
  chooseModel,
  dialog,
  notebook,
  openCell,
  openNotebook,
  openWindow,
  palette,
  runCommand,
  setUp,
  sidebar,
  startModelStudy,
  startStudy,
  study,
  welcome,
} from './window.ts';

/** The fixtures that a screen needs to open. */
export type Stage = {
  readonly page: Page;
  readonly night: Night;
  readonly serve: () => Promise<Server>;
  readonly makeBench: (options?: BenchOptions) => Promise<Bench>;
  readonly answer: (reply: Script) => Promise<RunningModelServer>;
};

/** A state of the window whose appearance is checked. */
export type Screen = {
  /** In kebab-case, because it is part of file names. */
  readonly name: string;
  /** Opens the screen. Resolves to the element that must then be visible. */
  readonly open: (stage: Stage) => Promise<Locator>;
};

async function ofNight({ page, night }: Stage): Promise<void> {
  await openNotebook(page, night.server, NIGHT_TAG);
}

/** Starts a study and holds its second experiment in the middle of its training. */
async function running({ page, serve, makeBench }: Stage): Promise<Server> {
  const bench = await makeBench({ seconds: 0.8 });
  const server = await serve();
  await openWindow(page, server);
  await bench.hold(1);
  await startStudy(page, bench, { tag: NIGHT_TAG, experiments: 2 });
  await expect(cellOf(page, 0).region).toContainText('keep');
  await bench.untilHeld();
  await expect(study(page).running).toContainText('at step');
  return server;
}

function cell(n: number, tab: CellTab, inSight: (page: Page) => Locator): Screen['open'] {
  return async stage => {
    await ofNight(stage);
    await openCell(stage.page, n, tab);
    const subject = inSight(stage.page);
    await expect(subject).toBeVisible();
    await stage.page.mouse.move(0, 0);
    return subject;
  };
}

function overNight(open: (page: Page) => Promise<void>, name: string | RegExp): Screen['open'] {
  return async stage => {
    await ofNight(stage);
    await open(stage.page);
    return dialog(stage.page, name);
  };
}

/** All screens, dialogs and notices. */
export const SCREENS: readonly Screen[] = [
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
    name: 'proposing',
    open: async ({ page, serve, makeBench, answer }) => {
      const thinking =
        'The learning rate was doubled once and the loss still fell steeply at the end of the budget, so the schedule is the next thing to look at: a warm-up of one step in twenty costs little.';
      const model = await answer(() => ({ kind: 'hang', after: [{ type: 'thinking', thinking }] }));
      await openWindow(page, await serve());
      await startModelStudy(page, await makeBench(), model.url);
      return page.getByRole('region', { name: 'What the proposer is thinking' });
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
    name: 'review',
    open: async ({ page, serve, makeBench, answer }) => {
      const model = await answer(() => ({
        kind: 'message',
        blocks: [
          {
            type: 'tool_use',
            name: 'submit_proposal',
            input: {
              hypothesis: 'Double the learning rate and warm up for one step in twenty',
              rationale:
                'The loss still fell steeply at the end of the budget, so a longer stride should pay. The warm-up keeps the first steps from going astray.',
              category: 'optimizer',
              predicted_effect: -0.02,
              edits: [{ path: 'train.py', old: 'LEARNING_RATE = 0.02', new: 'LEARNING_RATE = 0.04' }],
            },
          },
        ],
      }));
      await openWindow(page, await serve());
      await startModelStudy(page, await makeBench(), model.url, { asksApproval: true });
      await study(page).tab('Live').click();
      const region = page.getByRole('region', { name: 'Proposal that waits for you' });
      await region.getByRole('row').filter({ hasText: 'LEARNING_RATE = 0.04' }).getByRole('button').click();
      await page.keyboard.type('Twice is far: try 0.03 first.');
      return region.getByRole('button', { name: 'Send back with 1 comment' });
    },
  },
  {
    name: 'notebook',
    open: async stage => {
      await ofNight(stage);
      return cellOf(stage.page, 13).region.getByRole('img');
    },
  },
  {
    name: 'proposers',
    open: overNight(async page => {
      await runCommand(page, 'proposers', 'Compare the proposers');
      await expect(dialog(page, 'Proposers').getByText('command', { exact: true })).toBeVisible();
    }, 'Proposers'),
  },
  {
    name: 'notebook-filtered',
    open: async stage => {
      await ofNight(stage);
      await notebook(stage.page).verdict('discard').click();
      await expect(notebook(stage.page).filter).toContainText('5 of 14');
      return notebook(stage.page).filter.getByRole('button', { name: 'Clear' });
    },
  },
  {
    name: 'notebook-nothing-matches',
    open: async stage => {
      await ofNight(stage);
      await notebook(stage.page).search.fill('no such thing');
      return stage.page.getByText('Nothing matches');
    },
  },
  {
    name: 'notebook-zoomed',
    open: async stage => {
      await ofNight(stage);
      await notebook(stage.page).chart.focus();
      for (const key of ['End', '+', '+', '+', 'ArrowDown']) await stage.page.keyboard.press(key);
      return notebook(stage.page).chart.getByText('Experiment 12', { exact: true });
    },
  },
  {
    name: 'cell-why',
    open: cell(12, 'Reason and result', page => cellOf(page, 12).section('Rationale')),
  },
  {
    name: 'cell-crash',
    open: cell(4, 'Reason and result', page => cellOf(page, 4).section('Crash')),
  },
  {
    name: 'cell-refusal',
    open: cell(6, 'Reason and result', page => cellOf(page, 6).section('Refused proposals')),
  },
  {
    name: 'cell-diff',
    open: cell(1, 'Diff', page => cellOf(page, 1).panel.getByRole('table').first()),
  },
  {
    name: 'cell-curves',
    open: cell(12, 'Curves', page => cellOf(page, 12).panel.getByRole('img').nth(1)),
  },
  {
    name: 'cell-log',
    open: cell(1, 'Log', page => page.getByRole('region', { name: 'Log of experiment 1, text' })),
  },
  {
    name: 'notebook-running',
    open: async stage => {
      await running(stage);
      return study(stage.page).header.getByText('Training');
    },
  },
  {
    name: 'live',
    open: async stage => {
      await running(stage);
      await study(stage.page).tab('Live').click();
      return stage.page.getByRole('img', { name: 'Live loss against the incumbent' });
    },
  },
  {
    name: 'live-idle',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).tab('Live').click();
      return stage.page.getByText('Nothing runs');
    },
  },
  {
    name: 'stop-now',
    open: async stage => {
      await running(stage);
      await chooseFrom(stage.page, study(stage.page).control('Stop'), 'Stop now …');
      return dialog(stage.page, 'Stop now?');
    },
  },
  {
    name: 'compare-empty',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).tab('Compare').click();
      return stage.page.getByText('Choose two or more experiments');
    },
  },
  {
    name: 'compare',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).tab('Compare').click();
      await stage.page.getByRole('button', { name: 'Compare the baseline with the best' }).click();
      const difference = stage.page.getByRole('region', { name: 'Difference from experiment 0 to 13' });
      await expect(difference).toContainText('LEARNING_RATE');
      return stage.page.getByRole('region', { name: 'What differs' });
    },
  },
  {
    name: 'instructions',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).tab('program.md').click();
      return stage.page.getByRole('textbox', { name: 'program.md' });
    },
  },
  {
    name: 'debrief',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).tab('Debrief').click();
      return stage.page.getByRole('article', { name: 'Debrief' });
    },
  },
  {
    name: 'lineage',
    open: async stage => {
      await ofNight(stage);
      await stage.page.keyboard.press('8');
      return stage.page.getByRole('list', { name: 'Experiments by lineage' }).getByRole('button').first();
    },
  },
  {
    name: 'menu',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).control('More').click();
      return stage.page.getByRole('menu');
    },
  },
  {
    name: 'palette',
    open: async stage => {
      await ofNight(stage);
      await stage.page.keyboard.press('Control+k');
      return palette(stage.page).dialog;
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
  {
    name: 'shortcuts',
    open: overNight(page => page.keyboard.press('?'), 'Keyboard shortcuts'),
  },
  {
    name: 'tell-me-elsewhere',
    open: overNight(async page => {
      await runCommand(page, 'elsewhere', 'Tell me elsewhere: ntfy, Slack, a webhook');
      await dialog(page, 'Tell me elsewhere').getByLabel('Address').fill('https://ntfy.sh/my-topic');
      await expect(page.getByText('"topic": "my-topic"')).toBeVisible();
    }, 'Tell me elsewhere'),
  },
  {
    name: 'overview',
    open: async stage => {
      await ofNight(stage);
      await stage.page.keyboard.press('0');
      const region = stage.page.getByRole('region', { name: 'All studies' });
      await region.getByRole('checkbox', { name: `Compare ${NIGHT_TAG}` }).check();
      await expect(region.getByRole('group', { name: 'Best so far of the compared studies' })).toBeVisible();
      await expect(region.getByRole('row').nth(1)).toContainText(/[KM]B/);
      return region;
    },
  },
  {
    name: 'across-the-room',
    open: overNight(page => page.keyboard.press('z'), NIGHT_TAG),
  },
  {
    name: 'settings',
    open: overNight(page => sidebar(page).button('Settings').click(), 'Settings'),
  },
  {
    name: 'steer',
    open: overNight(page => page.keyboard.press('s'), `Steer ${NIGHT_TAG}`),
  },
  {
    name: 'queue',
    open: overNight(page => page.keyboard.press('q'), `Queue of ${NIGHT_TAG}`),
  },
  {
    name: 'queue-again',
    open: overNight(async page => {
      const cell = await openCell(page, 12);
      await cell.region.getByRole('button', { name: 'Try again …' }).click();
      await dialog(page, 'Try #12 again').getByRole('button', { name: 'Edit the files' }).click();
      await expect(dialog(page, 'Try #12 again').getByLabel('train.py')).toBeVisible();
    }, 'Try #12 again'),
  },
  {
    name: 'stack',
    open: overNight(async page => {
      await chooseFrom(page, study(page).control('More'), 'Take to Git …');
      await expect(page.getByText('7 of 7 chosen')).toBeVisible();
    }, `Take ${NIGHT_TAG} to Git`),
  },
  {
    name: 'export',
    open: overNight(page => chooseFrom(page, study(page).control('More'), 'Export …'), /^Export/),
  },
  {
    name: 'resume',
    open: overNight(page => study(page).control('Resume').click(), /^Resume/),
  },
  {
    name: 'folder',
    open: async ({ page, night }) => {
      await openWindow(page, night.server);
      await welcome(page).choose.click();
      const folders = dialog(page, 'Choose a repository');
      await folders.getByLabel('Folder', { exact: true }).fill(night.bench.folder);
      await folders.getByRole('button', { name: 'Go', exact: true }).click();
      return folders.getByRole('button', { name: 'Open byte-model' });
    },
  },
  {
    name: 'offline',
    open: async stage => {
      const server = await running(stage);
      await server.kill();
      return stage.page.getByRole('alert');
    },
  },
  {
    name: 'refused',
    open: async ({ page, night }) => {
      await page.goto(`http://127.0.0.1:${night.server.port}/`);
      return page.getByRole('alert');
    },
  },
];
