import { expect } from '@playwright/test';
import { NIGHT_TAG } from '../night.ts';
import { study } from '../window.ts';
import { ofNight, overNight, type Screen } from './stage.ts';

/** Screens of the other views of a study, and of all studies. */
export const VIEWS: readonly Screen[] = [
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
    name: 'table-nothing-matches',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).tab('Table').click();
      await stage.page.getByRole('search', { name: 'Table' }).getByRole('combobox').first().fill('P > 2');
      return stage.page.getByText('Nothing matches the filter');
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
];
