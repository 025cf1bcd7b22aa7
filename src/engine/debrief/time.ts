import { sum } from 'd3-array';
import type { DebriefTime } from '../../shared/debrief/debrief.ts';
import type { Mark } from '../../shared/notebook.ts';
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
  const isWasted = ({ n, k, purpose, isUnfair }: RunRow) =>
    purpose === null && isUnfair && deciding.get(n) !== k;
  return {
    wall: sum(spans.map(({ from, until }) => (until ?? now) - from)) / 1000,
    trained: secondsOf(runs.filter(run => run.purpose === null && !isWasted(run))),
    crashed: sum(trials.filter(({ verdict }) => verdict.word === 'crash').map(trainedSeconds)),
    unfair: secondsOf(runs.filter(isWasted)),
    repeats: secondsOf(runs.filter(({ purpose }) => purpose !== null)),
    proposing: sum(calls.map(({ seconds }) => seconds ?? 0)),
    paused: sum(spans.map(span => pausedSeconds(marks, span, now))),
    away: awaySeconds(marks, spans, now),
  };
}
