import { counted, formatNumber } from '../numbers.ts';

/** The basis of an experiment's expected cost; `experiments` were measured. */
type SpendBasis =
  | { readonly kind: 'here' | 'elsewhere'; readonly experiments: number }
  | { readonly kind: 'estimated' };

/** What experiments with a model will probably cost. */
export type SpendPlan =
  | {
      readonly kind: 'planned';
      /** US dollars per experiment: quartiles and median. */
      readonly eachUsd: { readonly low: number; readonly median: number; readonly high: number };
      readonly basis: SpendBasis;
    }
  /** The model's price is unknown. */
  | { readonly kind: 'unpriced' };

/** A plan as a sentence, for a number of experiments, or per experiment if their number is unknown. */
export function describeSpendPlan(plan: SpendPlan, model: string, experiments: number | null): string {
  if (plan.kind === 'unpriced')
    return `Planned spend: no price is known for ${model}, so there is no estimate.`;
  const { low, median, high } = plan.eachUsd;
  const [least, usual, most] = [low, median, high].map(usd => roundUsd(usd * (experiments ?? 1)));
  const dollars = least === most ? `$${usual}` : `$${least}–${most}`;
  const what = experiments === null ? 'an experiment' : `for ${counted(experiments, 'experiment')}`;
  return `Planned spend: about ${dollars} ${what} at ${model} (${describeBasis(plan.basis)}).`;
}

function describeBasis(basis: SpendBasis): string {
  if (basis.kind === 'estimated') return 'estimated: nothing was measured yet';
  const where = basis.kind === 'here' ? 'here' : 'in other repositories';
  return `from ${basis.experiments} earlier experiments ${where}`;
}

/** Two digits, because more would suggest false precision. */
function roundUsd(usd: number): string {
  return formatNumber(usd === 0 ? 0 : Number(Math.max(usd, 0.0001).toPrecision(2)));
}

/** How many of a study's experiments go to one of its proposers; null if the study has no limit of experiments. */
export function shareOf(experiments: number | null, arms: number, isInTurns: boolean): number | null {
  return experiments === null || !isInTurns ? experiments : Math.ceil(experiments / arms);
}
