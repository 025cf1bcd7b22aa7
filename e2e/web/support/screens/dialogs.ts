import { expect } from '@playwright/test';
import { NIGHT_TAG } from '../night.ts';
import { chooseFrom, dialog, openCell, palette, runCommand, sidebar, study } from '../window.ts';
import { ofNight, overNight, type Screen } from './stage.ts';

/** Dialogs over a study. */
export const DIALOGS: readonly Screen[] = [
  {
    name: 'palette',
    open: async stage => {
      await ofNight(stage);
      await stage.page.keyboard.press('Control+k');
      return palette(stage.page).dialog;
    },
  },
  {
    name: 'shortcuts',
    open: overNight(page => page.keyboard.press('?'), 'Keyboard shortcuts'),
  },
  {
    name: 'settings',
    open: overNight(page => sidebar(page).button('Settings').click(), 'Settings'),
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
    name: 'proposers',
    open: overNight(async page => {
      await runCommand(page, 'proposers', 'Compare the proposers');
      await expect(dialog(page, 'Proposers').getByText('command', { exact: true })).toBeVisible();
    }, 'Proposers'),
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
];
