import type { Summary } from '../../../shared/study.ts';
import type { Claim } from '../../../shared/verdicts/fairness.ts';

/** Numbers that differ by more than this share are not the same measurement. */
const SAME_SHARE = 1e-3;

/** The name for a number that a training printed itself although its scorer measures it. */
function claimName(metric: string): string {
  return `printed_${metric}`;
}

/**
 * The training's printed values, overridden by the scores. The training's own value of the metric is kept under
 * another name.
 */
export function withClaims(printed: Summary | null, scores: Summary | null, metric: string): Summary | null {
  if (!printed) return scores;
  const { [metric]: claim, ...rest } = printed;
  return { ...rest, ...(claim === undefined ? {} : { [claimName(metric)]: claim }), ...scores };
}

/**
 * A printed number that differs from the score, provided that the baseline's did not: otherwise the two measure
 * different things, and the difference means nothing.
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
