import { useMemo } from 'react';
import type { ProgressModel } from '../../../shared/charts/progress-model.ts';
import {
  LAST_EXPERIMENTS,
  type PresetContext,
  presetRange,
} from '../../../shared/charts/progress-presets.ts';
import {
  PROGRESS_PRESETS,
  type ProgressPreset,
  type ProgressView,
} from '../../../shared/charts/progress-view.ts';
import { showChartRange } from '../../app/actions.ts';
import { Select } from '../../ui/select.tsx';

const LABELS: Readonly<Record<ProgressPreset, string>> = {
  sitting: 'Last sitting',
  last: `Last ${LAST_EXPERIMENTS}`,
  frontier: 'Frontier',
};
const CHOSEN_BY_HAND = { value: 'zoomed', label: 'Zoomed' } as const;

/** Chooses how much of the chart is shown; offers only ranges that show less than everything. */
export function ChartRange({
  view,
  model,
  sittingFrom,
  band,
}: PresetContext & {
  readonly view: ProgressView;
  readonly model: ProgressModel;
}) {
  const isZoomed = view.x !== null || view.y !== null;
  const showsLess = useMemo(
    () => PROGRESS_PRESETS.filter(preset => presetRange(model, preset, { sittingFrom, band }) !== null),
    [model, sittingFrom, band],
  );
  const presets = PROGRESS_PRESETS.filter(preset => preset === view.preset || showsLess.includes(preset));
  return (
    <Select<'all' | 'zoomed' | ProgressPreset>
      aria-label="Range of the chart"
      value={view.preset ?? (isZoomed ? 'zoomed' : 'all')}
      options={[
        { value: 'all', label: 'All' },
        ...presets.map(value => ({ value, label: LABELS[value] })),
        ...(isZoomed ? [CHOSEN_BY_HAND] : []),
      ]}
      onChange={chosen => {
        if (chosen !== 'zoomed') showChartRange(chosen === 'all' ? null : chosen);
      }}
      className="h-7 w-28 px-2 text-xs"
    />
  );
}
