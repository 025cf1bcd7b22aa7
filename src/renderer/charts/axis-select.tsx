import { Select } from '../ui/select.tsx';
import type { SeriesAxis } from './series-axis.ts';

const CHOICES: readonly { readonly value: SeriesAxis; readonly label: string }[] = [
  { value: 'step', label: 'by step' },
  { value: 'tokens', label: 'by tokens' },
  { value: 'training', label: 'by time since the first step' },
  { value: 'seconds', label: 'by time since the run began' },
];

/** Chooses the horizontal axis of curves; tokens only if a run reports them. */
export function AxisSelect({
  by,
  hasTokens,
  onChange,
}: {
  readonly by: SeriesAxis;
  readonly hasTokens: boolean;
  readonly onChange: (by: SeriesAxis) => void;
}) {
  return (
    <Select
      aria-label="Horizontal axis"
      value={by}
      options={CHOICES.filter(({ value }) => value !== 'tokens' || hasTokens)}
      onChange={onChange}
      className="h-7 px-2 text-sm"
    />
  );
}
