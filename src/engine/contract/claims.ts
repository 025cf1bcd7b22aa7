/** One thing that a repository says, where it says it, and how surely it means it. */
export type Claim<T> = {
  readonly value: T;
  readonly source: string;
  /** Higher is surer; one sure claim outweighs any number of claims in passing. */
  readonly strength: number;
};

/** The other claims forbid what the first allows; or the commit does not contain what they name. */
type Doubt = 'clash' | 'absence';

export type Settled<T> =
  | { readonly kind: 'found'; readonly value: T; readonly source: string }
  /** Several different claims are equally sure, or none is sure enough. */
  | { readonly kind: 'torn'; readonly because?: Doubt; readonly claims: readonly Claim<T>[] }
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

/**
 * The claims of bounded number, each value once: "train.py (program.md:3) or model.py (README.md:9)", "the only hint is
 * make (README.md:2)".
 */
export function describeTorn(claims: readonly Claim<string>[], because?: Doubt): string {
  if (because === 'clash') return describeClash(claims);
  const sources = new Map<string, Set<string>>();
  for (const { value, source } of claims) sources.set(value, (sources.get(value) ?? new Set()).add(source));
  const shown = [...sources]
    .slice(0, 4)
    .map(([value, where]) => `${value} (${[...where].slice(0, 4).join(', ')})`);
  const list = shown.join(' or ');
  if (because === 'absence') return `${list}, which the commit does not contain`;
  return shown.length === 1 ? `the only hint is ${list}` : list;
}

/** "train.py is allowed (program.md:1), but *.py is not (program.md:3)". */
function describeClash([allowed, ...forbidden]: readonly Claim<string>[]): string {
  const others = forbidden.map(({ value, source }) => `${value} is not (${source})`).join(', and ');
  return `${allowed?.value} is allowed (${allowed?.source}), but ${others}`;
}
