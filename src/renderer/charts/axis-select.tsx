import { Select } from '../ui/select.tsx';

/** What the points of a curve are placed by; `training` is the time since the first step of its run. */
export type SeriesAxis = 'seconds' | 'training' | 'step';

/** What x counts. */
export const AXIS_LABELS: Readonly<Record<SeriesAxis, string>> = {
  seconds: 'seconds since the run began',
  training: 'seconds since the first step',
  step: 'step',
};

const CHOICES: readonly { readonly value: SeriesAxis; readonly label: string }[] = [
  { value: 'step', label: 'by step' },
  { value: 'training', label: 'by time since the first step' },
  { value: 'seconds', label: 'by time since the run began' },
];

/** As the host is asked for the points. */
export function askedAxis(by: SeriesAxis): 'seconds' | 'step' {
  return by === 'step' ? 'step' : 'seconds';
}

/** Chooses the horizontal axis of curves. */
export function AxisSelect({
  by,
  onChange,
}: {
  readonly by: SeriesAxis;
  readonly onChange: (by: SeriesAxis) => void;
}) {
  return (
    <Select
      aria-label="Horizontal axis"
      value={by}
      options={CHOICES}
      onChange={onChange}
      className="h-7 px-2 text-sm"
    />
  );
}
