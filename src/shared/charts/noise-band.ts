import type { StudyClaims } from '../verdicts/claims.ts';

/** Where two thirds of the best code's next runs would be by noise alone; null if the noise is unknown. */
export function noiseBand(claims: StudyClaims | null): readonly [number, number] | null {
  if (!claims || claims.isRepeatable) return null;
  return [claims.best.mean - claims.noise, claims.best.mean + claims.noise];
}
