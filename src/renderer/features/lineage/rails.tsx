import type { LineageRow, Rail } from './lineage-rows.ts';

/** Between two lines, in pixels. */
const GAP = 16;
const RADIUS = 4.5;
/** More lines would leave no room for words; lines further right share the last place. */
const MOST_PLACES = 10;

const xOf = (place: number) => GAP / 2 + GAP * Math.min(place, MOST_PLACES - 1);

/** The lines beside a row, and its dot: filled where the branch holds it. */
export function Rails({
  row,
  places,
  height,
}: {
  readonly row: LineageRow;
  readonly places: number;
  readonly height: number;
}) {
  const width = GAP * Math.min(places, MOST_PLACES);
  const middle = height / 2;
  const path = ({ from, to }: Rail, top: number, bottom: number) =>
    from === to
      ? `M${xOf(from)} ${top}V${bottom}`
      : `M${xOf(from)} ${top}C${xOf(from)} ${(top + bottom) / 2} ${xOf(to)} ${(top + bottom) / 2} ${xOf(to)} ${bottom}`;
  const line = (rail: Rail, top: number, bottom: number) => (
    <path
      key={`${top}-${rail.from}-${rail.to}`}
      d={path(rail, top, bottom)}
      className={rail.from === 0 && rail.to === 0 ? 'stroke-keep' : 'stroke-line-strong'}
      strokeWidth={rail.from === 0 && rail.to === 0 ? 2 : 1.5}
    />
  );
  return (
    <svg width={width} height={height} aria-hidden className="shrink-0 fill-none">
      {row.above.map(rail => line(rail, 0, middle))}
      {row.below.map(rail => line(rail, middle, height))}
      <circle
        cx={xOf(row.column)}
        cy={middle}
        r={RADIUS}
        strokeWidth={2}
        className={row.isHeld ? 'fill-keep stroke-keep' : 'fill-surface stroke-muted'}
      />
    </svg>
  );
}
