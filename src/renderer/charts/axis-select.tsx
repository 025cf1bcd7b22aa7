/** What the points of a curve are placed by; `training` is the time since the first step of its run. */
export type SeriesAxis = 'seconds' | 'training' | 'step';

/** What x counts. */
export const AXIS_LABELS: Readonly<Record<SeriesAxis, string>> = {
  seconds: 'seconds since the run began',
  training: 'seconds since the first step',
  step: 'step',
};

const CHOICES: readonly (readonly [SeriesAxis, string])[] = [
  ['step', 'by step'],
  ['training', 'by time since the first step'],
  ['seconds', 'by time since the run began'],
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
    <select
      aria-label="Horizontal axis"
      value={by}
      onChange={event => onChange(CHOICES.find(([axis]) => axis === event.target.value)?.[0] ?? by)}
      className="h-7 rounded-md border border-line-strong bg-surface px-2 text-sm"
    >
      {CHOICES.map(([axis, words]) => (
        <option key={axis} value={axis}>
          {words}
        </option>
      ))}
    </select>
  );
}
