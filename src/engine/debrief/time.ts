import { greatest, rollups, sum } from 'd3-array';
import type { DebriefTime } from '../../shared/debrief/debrief.ts';
import type { Mark } from '../../shared/notebook.ts';
import type { FlagKind } from '../../shared/verdicts/fairness.ts';
import type { ProposerCall } from '../store/proposer-calls.ts';
import type { RunRow } from '../store/runs.ts';
import { awaySeconds, pausedSeconds, type Span } from './sittings.ts';
import { type Trial, trainedSeconds } from './trial.ts';

/**
 * @param spans of the sittings in question
 * @param runs that ended during them, including those of experiments without a verdict
 */
export function whereTimeWent(
  trials: readonly Trial[],
  runs: readonly RunRow[],
  calls: readonly ProposerCall[],
  {
    spans,
    marks,
    now,
  }: { readonly spans: readonly Span[]; readonly marks: readonly Mark[]; readonly now: number },
): DebriefTime {
  const secondsOf = (rows: readonly RunRow[]) => sum(rows.map(({ seconds }) => seconds));
  const deciding = new Map(trials.map(({ n, verdict }) => [n, verdict.evidence.run]));
  const isWasted = ({ n, k, purpose, unfair }: RunRow) =>
    purpose === null && unfair.length > 0 && deciding.get(n) !== k;
  const wasted = runs.filter(isWasted);
  return {
    wall: sum(spans.map(({ from, until }) => (until ?? now) - from)) / 1000,
    trained: secondsOf(runs.filter(run => run.purpose === null && !isWasted(run))),
    crashed: sum(trials.filter(({ verdict }) => verdict.word === 'crash').map(trainedSeconds)),
    unfair: secondsOf(wasted),
    unfairBecause: mostSeconds(wasted),
    repeats: secondsOf(runs.filter(({ purpose }) => purpose !== null)),
    proposing: sum(calls.map(({ seconds }) => seconds ?? 0)),
    paused: sum(spans.map(span => pausedSeconds(marks, span, now))),
    away: awaySeconds(marks, spans, now),
  };
}

/** The reason that most of these seconds have in common; null if there are none. */
function mostSeconds(runs: readonly RunRow[]): FlagKind | null {
  const reasons = runs.flatMap(({ unfair, seconds }) => unfair.map(kind => ({ kind, seconds })));
  const byKind = rollups(
    reasons,
    rows => sum(rows, ({ seconds }) => seconds),
    ({ kind }) => kind,
  );
  return greatest(byKind, ([, seconds]) => seconds)?.[0] ?? null;
}
