import type { LanePlace } from './find-lanes.ts';

/**
 * Marks the lanes whose GPU is of another model than the one whose numbers count, and puts the others first.
 * @param model null if it is not known
 */
export function markScreening(places: readonly LanePlace[], model: string | null): readonly LanePlace[] {
  if (model === null) return places;
  return places
    .map(place => ({ ...place, isScreening: place.model !== null && place.model !== model }))
    .sort((one, other) => Number(one.isScreening) - Number(other.isScreening));
}

/** What the user is told of lanes that screen; null if none does. */
export function describeScreening(places: readonly LanePlace[]): string | null {
  const labels = [...new Set(places.flatMap(({ isScreening, label }) => (isScreening ? [label] : [])))];
  if (labels.length === 0) return null;
  const [has, they] = labels.length === 1 ? ['has', 'It screens'] : ['have', 'They screen'];
  return `${labels.join('; ')} ${has} another GPU than the baseline. ${they} experiments: what may be a gain is trained again where the baseline was, before it counts.`;
}
