import { PawlError } from '../../shared/errors.ts';
import type { LanePlace } from './find-lanes.ts';

/**
 * Marks the lanes whose GPU is of another model than the baseline's, and puts the others first. Before there is a
 * baseline, the first lane's model is the one that counts. Throws `usage` if only lanes of other models are left.
 * @param baseline model of the GPU that the baseline trained on; null if there is none yet
 */
export function markScreening(places: readonly LanePlace[], baseline: string | null): readonly LanePlace[] {
  const model = baseline ?? places[0]?.model ?? null;
  if (model === null) return places;
  const marked = places.map(place => ({
    ...place,
    isScreening: place.model !== null && place.model !== model,
  }));
  if (marked.every(({ isScreening }) => isScreening)) {
    const [first] = marked;
    throw new PawlError(
      'usage',
      `Runs would train on ${first?.model}, the baseline on ${model}, and such numbers do not compare. Add a lane like the baseline's, or begin a new study.`,
    );
  }
  return marked.sort((one, other) => Number(one.isScreening) - Number(other.isScreening));
}

/** What the user is told at the start. */
export function describeScreening(places: readonly LanePlace[]): string {
  const labels = [...new Set(places.map(({ label }) => label))].join('; ');
  const [is, its] = places.length === 1 ? ['has', 'It screens'] : ['have', 'They screen'];
  return `${labels} ${is} another GPU than the baseline. ${its} experiments: what may be a gain is trained again where the baseline was, before it counts.`;
}
