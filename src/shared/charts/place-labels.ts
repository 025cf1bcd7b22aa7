import type { Box, Occupancy } from './occupancy.ts';

/** A label that should be placed next to a dot. */
export type LabelWish = {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Whether it is placed at any cost. */
  readonly isBest?: boolean;
};

/** `x`, `y` is the anchor of the text on its baseline, `box` is the area it covers. */
export type PlacedLabel = {
  readonly id: number;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
  readonly isBest: boolean;
  readonly box: Box;
};

/** A generous average for the interface's type at 11 px; a label wider than its box would touch its neighbour. */
const PIXELS_PER_CHARACTER = 6.1;
const PIXELS_PER_BOLD_CHARACTER = 6.6;
const LINE_HEIGHT = 14;
/** Distances between the centre of a dot and its label: beside it, above or below it, and past a neighbour. */
const BESIDE = 9;
const CLEAR = 9;
const FURTHER = 14;

/**
 * Places at most `most` labels that touch neither each other nor what `area` has taken, in the order of `wishes`; a
 * label without room is left out. Takes the placed labels in `area`. `betterIsDown` says where better values are on
 * the screen: on that side, to the left of a new best, there is room.
 */
export function placeLabels(
  wishes: readonly LabelWish[],
  area: Occupancy,
  betterIsDown: boolean,
  most: number,
): readonly PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const wish of wishes) {
    if (placed.length >= most) break;
    const wanted = places(wish, betterIsDown);
    const label =
      wanted.find(({ box }) => area.isFree(box)) ?? (wish.isBest ? leastInTheWay(wanted, area) : undefined);
    if (!label) continue;
    const { left, top, right, bottom } = label.box;
    area.take(left, top, right, bottom);
    placed.push(label);
  }
  return placed;
}

/** The position inside the area that hides the least; if none is inside, one is moved inside. */
function leastInTheWay(wanted: readonly PlacedLabel[], area: Occupancy): PlacedLabel | undefined {
  const onPaper = wanted.map(label => moveOnto(label, area.bounds));
  const hidden = onPaper.map(({ box }) => area.countTaken(box));
  return onPaper[hidden.indexOf(Math.min(...hidden))];
}

function moveOnto(label: PlacedLabel, bounds: Box): PlacedLabel {
  const { box } = label;
  const across = Math.max(bounds.left - box.left, Math.min(0, bounds.right - box.right));
  const down = Math.max(bounds.top - box.top, Math.min(0, bounds.bottom - box.bottom));
  return {
    ...label,
    x: label.x + across,
    y: label.y + down,
    box: {
      left: box.left + across,
      top: box.top + down,
      right: box.right + across,
      bottom: box.bottom + down,
    },
  };
}

/** Possible positions of a label, best first: beside the dot, then past dots at the same height. */
function places(wish: LabelWish, betterIsDown: boolean): readonly PlacedLabel[] {
  const { isBest = false } = wish;
  const wide = [...wish.text].length * (isBest ? PIXELS_PER_BOLD_CHARACTER : PIXELS_PER_CHARACTER);
  const place = (side: 'left' | 'right', isDown: boolean, away: number, lift: number): PlacedLabel => {
    const left = side === 'right' ? wish.x + away : wish.x - away - wide;
    const top = isDown ? wish.y + lift : wish.y - lift - LINE_HEIGHT;
    return {
      id: wish.id,
      text: wish.text,
      x: side === 'right' ? left : left + wide,
      y: top + 11,
      anchor: side === 'right' ? 'start' : 'end',
      isBest,
      box: { left, top, right: left + wide, bottom: top + LINE_HEIGHT },
    };
  };
  return [
    place('left', betterIsDown, BESIDE, 3),
    place('left', betterIsDown, 0, CLEAR),
    place('right', !betterIsDown, BESIDE, 4),
    place('right', betterIsDown, BESIDE, 3),
    place('right', !betterIsDown, 0, CLEAR),
    place('right', !betterIsDown, BESIDE, FURTHER),
    place('left', betterIsDown, BESIDE, FURTHER),
  ];
}
