import { expect } from '@playwright/test';
import { cellOf, notebook, study } from '../window.ts';
import { cell, ofNight, type Screen } from './stage.ts';

/** Screens of the notebook and its opened cells. */
export const NOTEBOOK: readonly Screen[] = [
  {
    name: 'notebook',
    open: async stage => {
      await ofNight(stage);
      return cellOf(stage.page, 13).region.getByRole('img');
    },
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
    name: 'menu',
    open: async stage => {
      await ofNight(stage);
      await study(stage.page).control('More').click();
      return stage.page.getByRole('menu');
    },
  },
];
