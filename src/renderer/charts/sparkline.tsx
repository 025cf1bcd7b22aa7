import { useMemo } from 'react';
import { sparklinePath } from './sparkline-path.ts';

type Props = {
  readonly y: readonly (number | null)[];
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly colour?: string;
  /** Accessible name. */
  readonly label: string;
};

/** A line without axes, scaled to its own range. */
export function Sparkline({ y, width, height, colour = 'var(--series-1)', label }: Props) {
  const path = useMemo(() => sparklinePath(y, width, height), [y, width, height]);
  return (
    <svg role="img" aria-label={label} width={width} height={height} className="shrink-0">
      <path
        d={path}
        fill="none"
        stroke={colour}
        strokeWidth={1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
