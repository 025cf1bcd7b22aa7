import { type Axis, coordinateOf, itemOf } from './space.ts';

/** The position of a set of values on an axis, from the constants' texts by index. */
export function placeOn(axis: Axis, texts: readonly string[]): number {
  const own = (text: string) => {
    const item = itemOf(axis, text);
    return item === null ? null : coordinateOf(axis, item);
  };
  return own(texts[axis.constant] ?? '') ?? coordinateOf(axis, axis.literal.text) ?? 0;
}
