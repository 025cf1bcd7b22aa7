import type { Claim } from '../../../shared/fairness.ts';
import type { Summary } from '../../../shared/study.ts';

/** Numbers that are further apart are not the same measurement. A share. */
const SAME_SHARE = 1e-3;

/** Under this name stands what a training printed for a number that only its scorer gives. */
function claimName(metric: string): string {
  return `printed_${metric}`;
}

/** What a training printed, and over it the scores. Its own word for the metric is kept under another name. */
export function withClaims(printed: Summary | null, scores: Summary | null, metric: string): Summary | null {
  if (!printed) return scores;
  const { [metric]: claim, ...rest } = printed;
  return { ...rest, ...(claim === undefined ? {} : { [claimName(metric)]: claim }), ...scores };
}

/**
 * A printed number that is not the score, where the baseline printed its own: else the two measure different things, and a
 * difference says nothing.
 */
export function claimOf(summary: Summary | null, baseline: Summary | null, metric: string): Claim | null {
  const differs = (of: Summary | null) => {
    const [printed, scored] = [of?.[claimName(metric)], of?.[metric]];
    if (printed === undefined || scored === undefined) return null;
    return Math.abs(printed - scored) > SAME_SHARE * Math.abs(scored) ? { printed, scored } : 'same';
  };
  const own = differs(summary);
  return own !== null && own !== 'same' && differs(baseline) === 'same' ? own : null;
}
