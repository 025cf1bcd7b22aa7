/** Retirement dates that Anthropic has announced, as in its SDK's table; a test compares the two. */
export const RETIREMENTS: Readonly<Record<string, string>> = {
  'claude-sonnet-4-5': 'November 30th, 2026',
  'claude-sonnet-4-5-20250929': 'November 30th, 2026',
};

/**
 * When a model is retired, as a sentence; null if nothing is announced. The dates are Anthropic's: another server
 * (`baseUrl`) with the model has its own.
 */
export function describeRetirement(model: string, baseUrl: string | null): string | null {
  if (baseUrl !== null || !Object.hasOwn(RETIREMENTS, model)) return null;
  return `${model} is retired on ${RETIREMENTS[model]}: choose a newer model.`;
}
