/** One thing that a repository says, where it says it, and how surely it means it. */
export type Claim<T> = {
  readonly value: T;
  readonly source: string;
  /** Higher is surer; one sure claim outweighs any number of claims in passing. */
  readonly strength: number;
};

export type Settled<T> =
  | { readonly kind: 'found'; readonly value: T; readonly source: string }
  /** Several different claims are equally sure; in a clash, the others forbid what the first allows. */
  | { readonly kind: 'torn'; readonly isClash?: boolean; readonly claims: readonly Claim<T>[] }
  | { readonly kind: 'silent' };

/** What the surest claims agree on. If two of them differ, they are not weighed against each other: the user is asked. */
export function settle<T>(claims: readonly Claim<T>[], keyOf: (value: T) => string = String): Settled<T> {
  const surest = Math.max(...claims.map(({ strength }) => strength));
  const different = new Map<string, Claim<T>>();
  for (const claim of claims) {
    if (claim.strength === surest && !different.has(keyOf(claim.value)))
      different.set(keyOf(claim.value), claim);
  }
  const [first, ...others] = different.values();
  if (!first) return { kind: 'silent' };
  if (others.length > 0) return { kind: 'torn', claims: [first, ...others] };
  return { kind: 'found', value: first.value, source: first.source };
}

/** The first claim of each value. */
export function distinct<C extends Claim<string>>(claims: readonly C[]): readonly C[] {
  const seen = new Set<string>();
  return claims.filter(({ value }) => !seen.has(value) && seen.add(value));
}

/** A list of bounded length, like "train.py (program.md:3) or model.py (README.md:9)". */
export function describeClaims(claims: readonly Claim<string>[]): string {
  return claims
    .slice(0, 4)
    .map(({ value, source }) => `${value} (${source})`)
    .join(' or ');
}

/** "train.py is allowed (program.md:1), but *.py is not (program.md:3)". */
export function describeClash([allowed, ...forbidden]: readonly Claim<string>[]): string {
  const others = forbidden.map(({ value, source }) => `${value} is not (${source})`).join(', and ');
  return `${allowed?.value} is allowed (${allowed?.source}), but ${others}`;
}
