import { chooseFrom, dialog, openWindow, startModelStudy, study } from '../window.ts';
import { ofNight, overNight, running, type Screen } from './stage.ts';

/** Screens of a study that runs, or could. */
export const RUNNING: readonly Screen[] = [
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
    name: 'resume',
    open: overNight(page => study(page).control('Resume').click(), /^Resume/),
  },
  {
    name: 'offline',
    open: async stage => {
      const server = await running(stage);
      await server.kill();
      return stage.page.getByRole('alert');
    },
  },
];
