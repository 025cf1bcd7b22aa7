/** Names that trainings give to their step counters. */
export const STEP_NAMES = [
  ...['step', 'iter', 'iteration', 'epoch'],
  ...['episode', 'generation', 'round', 'update'],
] as const;

const UNIT = String.raw`(?:[_ ]?\(?([kMB])\)?)?`;
/** Tokens since the start: `tokens`, `tokens_seen`, `num_tokens`, `total_tokens_M`. Not `tok/sec`. */
const TOKENS = new RegExp(
  `^(?:(?:total|num|n|train|training|cumulative)[_ ])?tokens(?:[_ ](?:seen|processed|trained|so_far|total))?${UNIT}$`,
  'i',
);
const TOKENS_PER_STEP = new RegExp(
  `^(?:tokens|toks?)(?:[_ ]per[_ ]|/)(?:step|iter|iteration|batch)${UNIT}$`,
  'i',
);
const STEPS = /^(?:num|n|total)[_ ]steps$|^steps$/i;

const FACTORS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, b: 1e9 };

/** What a run printed under a name in one progress line. */
type Printed = (name: string) => number | undefined;
export type Summary = readonly { readonly name: string; readonly value: number | string }[];

/** How many tokens a run had trained on when it printed that line; undefined if the line does not say. */
export type TokenCount = (printed: Printed) => number | undefined;

/**
 * How to count a run's tokens: from a series of tokens; else as steps times tokens per step, which are in a series or
 * the summary, or are the summary's tokens divided by its steps. Null if it printed none of these.
 * @param series the names of the run's series
 */
export function tokenCount(series: readonly string[], summary: Summary): TokenCount | null {
  const counter = find(series, TOKENS);
  if (counter) return printed => times(printed(counter.name), counter.factor);
  const steps = STEP_NAMES.find(name => name !== 'epoch' && series.includes(name));
  if (steps === undefined) return null;
  const perStep = find(series, TOKENS_PER_STEP);
  if (perStep) {
    return printed => {
      const tokens = times(printed(perStep.name), perStep.factor);
      return tokens === undefined ? undefined : times(printed(steps), tokens);
    };
  }
  const constant = summedPerStep(summary);
  return constant === null ? null : printed => times(printed(steps), constant);
}

function summedPerStep(summary: Summary): number | null {
  const numbers = new Map(
    summary.flatMap(({ name, value }) => (typeof value === 'number' && value > 0 ? [[name, value]] : [])),
  );
  const names = [...numbers.keys()];
  const read = (found: Found | null) => found && (numbers.get(found.name) ?? 0) * found.factor;
  const perStep = read(find(names, TOKENS_PER_STEP));
  if (perStep) return perStep;
  const total = read(find(names, TOKENS));
  const steps = numbers.get(names.find(name => STEPS.test(name)) ?? '');
  return total && steps ? total / steps : null;
}

type Found = { readonly name: string; readonly factor: number };

function find(names: readonly string[], pattern: RegExp): Found | null {
  for (const name of names) {
    const match = pattern.exec(name);
    if (match) return { name, factor: FACTORS[match[1]?.toLowerCase() ?? ''] ?? 1 };
  }
  return null;
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : value * factor;
}
