import type { StudyClaims } from '../claims.ts';

/** Where the next run of the best would lie two times out of three, by noise alone; null where nothing is known of it. */
export function noiseBand(claims: StudyClaims | null): readonly [number, number] | null {
  if (!claims || claims.isRepeatable) return null;
  return [claims.best.mean - claims.noise, claims.best.mean + claims.noise];
}
