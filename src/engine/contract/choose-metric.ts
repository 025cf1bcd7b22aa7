import { directionOf } from '../../shared/contract/metric-direction.ts';
import { type Claim, distinct, type Settled } from './claims.ts';
import { type Document, holdsWord, withoutEscapes } from './document.ts';
import { LITERAL, type MetricClaim } from './read-metric.ts';

/**
 * Chooses the metric from everything that texts say about it. A name from a sentence has to appear in one more place:
 * asked for, as a column, printed, or in a string of the code. If several names do, or none, the user has to choose.
 */
export function chooseMetric(claims: readonly MetricClaim[], code: readonly Document[]): Settled<string> {
  const of = (...kinds: readonly MetricClaim['kind'][]) =>
    distinct(claims.filter(({ kind }) => kinds.includes(kind)));
  const named = of('named');
  if (named.length > 0) return one(named);
  const strong = of('said', 'asked');
  const met = new Set(of('asked', 'asked first', 'asked too', 'column', 'printed').map(({ value }) => value));
  const backed = strong.filter(({ value }) => met.has(value) || isInCode(value, code));
  const surest = Math.max(...backed.map(({ strength }) => strength));
  const literal = backed.filter(({ strength }) => strength === surest);
  const agreed = literal.filter(({ value }) =>
    (['said', 'asked'] as const).every(kind =>
      claims.some(claim => claim.kind === kind && claim.value === value),
    ),
  );
  if (backed.length > 0) return one(agreed.length === 1 ? agreed : asPrinted(literal, code));
  const first = of('asked first');
  if (strong.length === 0 && first.length > 0) return one(first);
  // The first column is the metric only by convention.
  const columns = of('column').filter(({ value }) => directionOf(value) !== null && isInCode(value, code));
  const others = of('asked too').filter(({ value }) => !columns.some(column => column.value === value));
  if (strong.length === 0 && columns.length > 0 && others.length === 0) return one(columns);
  const candidates = distinct([...strong, ...first, ...of('column', 'printed', 'asked too')]);
  // A single name, written like one, with no other candidate.
  const [only] = candidates;
  if (only?.strength === LITERAL && candidates.length === 1 && strong.length === 1) return one(candidates);
  return candidates.length > 0 ? { kind: 'torn', claims: candidates } : { kind: 'silent' };
}

/** If spellings differ only in capitals, chooses the one in the code, else the one looked for in the output. */
function asPrinted(claims: readonly MetricClaim[], code: readonly Document[]): readonly MetricClaim[] {
  if (new Set(claims.map(({ value }) => value.toLowerCase())).size !== 1) return claims;
  const printed = claims.filter(({ value }) => isInCode(value, code));
  const asked = claims.filter(({ kind }) => kind === 'asked');
  return [printed, asked].find(({ length }) => length === 1) ?? claims;
}

function one(claims: readonly Claim<string>[]): Settled<string> {
  const [only, ...others] = claims;
  if (!only) return { kind: 'silent' };
  return others.length > 0
    ? { kind: 'torn', claims }
    : { kind: 'found', value: only.value, source: only.source };
}

/** Whether the name is in a line of code that contains a string, as a line that prints it would be. */
function isInCode(name: string, code: readonly Document[]): boolean {
  return findInCode(name, code) !== null;
}

/** The first line of code that contains a string and the name, as `train.py:9`. */
export function findInCode(name: string, code: readonly Document[]): string | null {
  for (const { path, lines } of code) {
    const at = lines.findIndex(line => /["'`]/.test(line) && holdsWord(withoutEscapes(line), name));
    if (at >= 0) return `${path}:${at + 1}`;
  }
  return null;
}
