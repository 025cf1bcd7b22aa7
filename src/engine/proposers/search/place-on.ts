import { type Axis, coordinateOf, itemOf } from './space.ts';

/** Where a set of values, as texts of the constants by place, stands on an axis. */
export function placeOn(axis: Axis, texts: readonly string[]): number {
  const own = (text: string) => {
    const item = itemOf(axis, text);
    return item === null ? null : coordinateOf(axis, item);
  };
  return own(texts[axis.constant] ?? '') ?? coordinateOf(axis, axis.literal.text) ?? 0;
}
