/** The items in the user's order; those that it does not name follow as they were. */
export function arrange<T>(
  items: readonly T[],
  order: readonly number[],
  idOf: (item: T) => number,
): readonly T[] {
  const places = new Map(order.map((id, place) => [id, place]));
  const placeOf = (item: T) => places.get(idOf(item)) ?? order.length;
  return items.toSorted((one, two) => placeOf(one) - placeOf(two));
}
