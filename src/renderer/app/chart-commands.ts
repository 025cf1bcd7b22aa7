import { LAST_EXPERIMENTS } from '../../shared/charts/progress-presets.ts';
import { lastSittingFrom } from '../charts/progress-rows.ts';
import { showChartRange, switchChartScale } from './actions.ts';
import type { Command } from './command.ts';
import { studyOf } from './store.ts';

/** Commands for what the progress chart shows. */
export const CHART_COMMANDS = {
  chartAll: { scope: 'study', label: 'Chart: all experiments', keys: 'a', run: () => showChartRange(null) },
  chartSitting: {
    scope: 'study',
    label: 'Chart: the last sitting',
    keys: 'n',
    isAvailable: state => (lastSittingFrom(state.notebook?.marks ?? [], studyOf(state)?.cells ?? 0) ?? 0) > 0,
    run: () => showChartRange('sitting'),
  },
  chartLast: {
    scope: 'study',
    label: `Chart: the last ${LAST_EXPERIMENTS}`,
    keys: 'l',
    isAvailable: state => (studyOf(state)?.cells ?? 0) > LAST_EXPERIMENTS,
    run: () => showChartRange('last'),
  },
  chartFrontier: {
    scope: 'study',
    label: 'Chart: the frontier, where the best still moves',
    keys: 'f',
    isAvailable: state => (studyOf(state)?.tally.keep ?? 0) > 1,
    run: () => showChartRange('frontier'),
  },
  chartLog: {
    scope: 'study',
    label: 'Chart: values, or log distance',
    keys: 'y',
    isAvailable: state => (studyOf(state)?.tally.keep ?? 0) > 1,
    run: switchChartScale,
  },
} satisfies Readonly<Record<string, Command>>;
