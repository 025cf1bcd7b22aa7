import { MOST_SMOOTHING } from '../../shared/charts/smooth-series.ts';
import { classNames } from '../ui/class-names.ts';
import { AxisSelect } from './axis-select.tsx';
import type { CurveChoice } from './curve-choice.ts';
import type { SeriesAxis } from './series-axis.ts';

type Props = {
  readonly choice: CurveChoice;
  /** The x axis here. */
  readonly by: SeriesAxis;
  readonly hasTokens: boolean;
  onBy(by: SeriesAxis): void;
  onChoice(patch: Partial<Pick<CurveChoice, 'smoothing' | 'isLogX' | 'isLogY'>>): void;
};

/** Chooses how curves are drawn: the x axis, the scales, and the smoothing. */
export function CurveTools({ choice, by, hasTokens, onBy, onChoice }: Props) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Smoothing smoothing={choice.smoothing} onChange={smoothing => onChoice({ smoothing })} />
      <div role="group" aria-label="Logarithmic axes" className="flex items-center gap-1">
        <Toggle label="Log x" isOn={choice.isLogX} onToggle={() => onChoice({ isLogX: !choice.isLogX })} />
        <Toggle label="Log y" isOn={choice.isLogY} onToggle={() => onChoice({ isLogY: !choice.isLogY })} />
      </div>
      <AxisSelect by={by} hasTokens={hasTokens} onChange={onBy} />
    </div>
  );
}

function Smoothing({
  smoothing,
  onChange,
}: {
  readonly smoothing: number;
  onChange(smoothing: number): void;
}) {
  return (
    <label className="flex items-center gap-2 text-muted text-xs">
      Smoothing
      <input
        type="range"
        min={0}
        max={MOST_SMOOTHING}
        step={0.01}
        value={smoothing}
        onChange={event => onChange(event.target.valueAsNumber)}
        className="h-7 w-24 accent-accent"
      />
      <span aria-hidden className="tabular w-7">
        {smoothing.toFixed(2)}
      </span>
    </label>
  );
}

function Toggle({
  label,
  isOn,
  onToggle,
}: {
  readonly label: string;
  readonly isOn: boolean;
  onToggle(): void;
}) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      onClick={onToggle}
      className={classNames(
        'h-7 rounded-md px-2 text-xs',
        isOn ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-sunken',
      )}
    >
      {label}
    </button>
  );
}
