import { Select } from '../ui/select.tsx';

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
    <Select
      aria-label="Horizontal axis"
      value={by}
      options={[
        { value: 'step', label: 'by step' },
        { value: 'seconds', label: 'by time' },
      ]}
      onChange={onChange}
      className="h-7 px-2 text-sm"
    />
  );
}
