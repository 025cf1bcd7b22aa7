import type { Box, Occupancy } from './occupancy.ts';

/** A label that wants a place next to a dot. */
export type LabelWish = {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly text: string;
};

/** `x`, `y` is the text's anchor on its baseline, `box` what it covers. */
export type PlacedLabel = {
  readonly id: number;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
  readonly box: Box;
};

/** A generous mean for the interface's type at 11 px; a label wider than its box would touch its neighbour. */
const PIXELS_PER_CHARACTER = 6.1;
const LINE_HEIGHT = 14;
/** Between the middle of a dot and its label: sideways, and over or under it. */
const BESIDE = 9;
const CLEAR = 9;

/**
 * Gives at most `most` labels places that touch neither one another nor what `area` has taken, in the order of
 * `wishes`: first come, first served, and who finds no place goes without. What is given is taken in `area`.
 * `betterIsDown` is where better values lie on the screen: there, to the left of a new best, is empty paper.
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
    const label = places(wish, betterIsDown).find(({ box }) => area.isFree(box));
    if (!label) continue;
    const { left, top, right, bottom } = label.box;
    area.take(left, top, right, bottom);
    placed.push(label);
  }
  return placed;
}

/** Where a label may stand, best place first: beside the dot, then clear of dots on the same height. */
function places(wish: LabelWish, betterIsDown: boolean): readonly PlacedLabel[] {
  const wide = [...wish.text].length * PIXELS_PER_CHARACTER;
  const place = (side: 'left' | 'right', isDown: boolean, away: number, lift: number): PlacedLabel => {
    const left = side === 'right' ? wish.x + away : wish.x - away - wide;
    const top = isDown ? wish.y + lift : wish.y - lift - LINE_HEIGHT;
    return {
      id: wish.id,
      text: wish.text,
      x: side === 'right' ? left : left + wide,
      y: top + 11,
      anchor: side === 'right' ? 'start' : 'end',
      box: { left, top, right: left + wide, bottom: top + LINE_HEIGHT },
    };
  };
  return [
    place('left', betterIsDown, BESIDE, 3),
    place('left', betterIsDown, 0, CLEAR),
    place('right', !betterIsDown, BESIDE, 4),
    place('right', betterIsDown, BESIDE, 3),
    place('right', !betterIsDown, 0, CLEAR),
  ];
}
