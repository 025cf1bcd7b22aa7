import type { Study } from '../../shared/study.ts';
import type { Proposer } from '../proposers/proposer.ts';
import { trialsOf } from '../stages/judge/trials.ts';
import { findAwaited } from '../stages/measure/await-number.ts';
import { findCrashedRun } from '../stages/measure/measured.ts';
import type { Unfinished } from '../stages/unfinished.ts';
import type { HistoryEntry } from '../store/experiments.ts';
import type { Ledger } from '../store/ledger.ts';
import { auditAllowance } from '../verdicts/audit.ts';
import { AUDIT_EVERY, type Repeats } from './repeats.ts';
import type { LoopState } from './step.ts';
import type { StopLimits } from './stop-rules.ts';

/**
 * Where the ledger says a study stands, for the first `step` of a sitting.
 * @param audit at most so many runs that make its claims surer, in place of anything new; null for a usual sitting
 */
export function initialState(
  ledger: Ledger,
  study: Study,
  limits: StopLimits,
  proposer: Proposer,
  audit: number | null = null,
): LoopState {
  const history = ledger.experiments.history(study.id);
  const incumbent = ledger.experiments.incumbent(study.id);
  const sinceKeep = history.length - 1 - history.findLastIndex(entry => entry.verdict === 'keep');
  const crashesInRow = history.length - 1 - history.findLastIndex(entry => entry.verdict !== 'crash');
  const unfinished = findUnfinished(ledger, study);
  const repeats = readRepeats(ledger, study);
  return {
    metric: study.contract.metric,
    limits,
    facts: {
      experiments: history.filter(entry => entry.n > 0).length,
      best: incumbent?.metric ?? null,
      sinceKeep,
      crashesInRow,
    },
    next: unfinished?.n ?? (ledger.experiments.lastNumber(study.id) ?? -1) + 1,
    unfinished,
    repeats: audit === null ? repeats : grant(repeats, audit),
    runMs: lastDuration(ledger, study.id),
    ending: audit === null ? null : { reason: 'audited', detail: null },
    wish: 'go',
    isBlocked: false,
    canRepair: proposer.canRepair,
    maxRefusals: proposer.maxRefusals,
    refusals: 0,
    repairs: unfinished ? countRepairs(ledger, study.id, unfinished.n) : 0,
    reruns: 0,
    unanswered: 0,
  };
}

function readRepeats(ledger: Ledger, { id, contract }: Study): Repeats {
  const { goal, verdict, waitSeconds } = contract.metric;
  const history = ledger.experiments.history(id);
  const done = ledger.runs.repeats(id);
  const trials = trialsOf(history, done);
  const incumbent = trials.findLast(({ isKept }) => isKept)?.n;
  const isOnIncumbent = (entry: HistoryEntry) => entry.incumbent === incumbent && entry.verdict !== 'keep';
  const begin = 1 + history.findLastIndex(entry => !isOnIncumbent(entry) || entry.reason === 'rolled_back');
  const tried = done.filter(({ value, isCrashed }) => value !== null || isCrashed);
  const runs = history.length + done.length;
  return {
    // A number that takes days, or that somebody types in, is not asked for twice.
    ...{ goal, trials, runs, rule: waitSeconds === null ? (verdict ?? 'honest') : 'greedy' },
    tried,
    discards: history.slice(begin).filter(entry => entry.verdict === 'discard').length,
    auditedAt: runs - (runs % AUDIT_EVERY),
    spent: done.filter(({ purpose }) => purpose === 'audit' || purpose === 'headline').length,
    granted: 0,
    fresh: tried.filter(({ purpose, isNewest }) => purpose === 'headline' && isNewest).map(({ n }) => n),
  };
}

/** The headline is measured anew, and what audits have spent is counted from here. */
function grant(repeats: Repeats, audit: number): Repeats {
  const granted = Math.max(0, audit - auditAllowance(repeats.runs)) + repeats.spent;
  return { ...repeats, rule: 'honest', granted, fresh: [] };
}

/** Of the newest run, in milliseconds. */
function lastDuration(ledger: Ledger, studyId: string): number | null {
  const last = ledger.experiments.lastNumber(studyId);
  const run = last === null ? undefined : ledger.runs.list(studyId, last).at(-1);
  return run?.endedAt == null ? null : run.endedAt - run.startedAt;
}

/** What an earlier sitting left without an end; also a baseline that failed, which a new sitting tries again. */
function findUnfinished(ledger: Ledger, study: Study): Unfinished | null {
  const { experiments, reviews } = ledger;
  const { id, baseCommit } = study;
  const unfinished = experiments.unfinished(id).at(-1);
  if (!unfinished) {
    const isFailed = experiments.get(id, 0)?.verdict?.word === 'crash';
    return isFailed ? { n: 0, at: 'attempt', commit: baseCommit } : null;
  }
  const { n, attemptCommit: commit } = unfinished;
  // A mend that waits for the user comes before another run of what it mends.
  const review = reviews.open(id, n);
  if (review) return { n, at: 'review', repair: review.isRepair ? findCrashedRun(ledger, study, n) : null };
  if (findAwaited(ledger, study, n)) return { n, at: 'number', isResumed: true };
  return commit === null ? { n, at: 'proposal' } : { n, at: 'attempt', commit };
}

/** Repairs an interrupted experiment has had already: each made an attempt of its own. */
function countRepairs(ledger: Ledger, studyId: string, n: number): number {
  const attempts = new Set(ledger.runs.list(studyId, n).map(run => run.commit));
  return Math.max(0, attempts.size - 1);
}
