/** What the points of a curve are placed by. */
export type SeriesAxis = 'seconds' | 'step';

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
      onChange={event => onChange(event.target.value === 'step' ? 'step' : 'seconds')}
      className="h-7 rounded-md border border-line-strong bg-surface px-2 text-sm"
    >
      <option value="step">by step</option>
      <option value="seconds">by time</option>
    </select>
  );
}
