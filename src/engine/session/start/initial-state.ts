import type { Experiment, Run, Study } from '../../../shared/study.ts';
import type { Proposer } from '../../proposers/proposer.ts';
import { trialsOf } from '../../stages/judge/trials.ts';
import { ruleOf } from '../../stages/judge/verdict-rule.ts';
import { findAwaited } from '../../stages/measure/await-number.ts';
import { findCrashedRun, findHeldRun, unfairKinds } from '../../stages/measure/measured.ts';
import { OWN_FAILURES } from '../../stages/repeat/repeat.ts';
import type { Unfinished } from '../../stages/unfinished.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Repeat } from '../../store/runs.ts';
import { MAX_RERUNS } from '../loop/after-run.ts';
import { type Begun, referenceOf, type StudyState } from '../loop/loop-state.ts';
import { afterProbe, NO_PROBES, type Probes } from '../loop/probes.ts';
import {
  AUDIT_EVERY,
  BASELINE_RUNS,
  incumbentOf,
  probesAfterKeep,
  type Repeats,
  type Seeds,
} from '../loop/repeats.ts';
import type { StopLimits } from '../loop/stop-rules.ts';

/** The purpose of a sitting. */
export type SittingKind = {
  /** Maximum number of runs that make its claims more certain, without trying anything new; null for a usual sitting. */
  readonly audit: number | null;
  /** Whether data can be exchanged to see where a number comes from. */
  readonly canProbe: boolean;
  /** Whether the code has a seed that can be varied. */
  readonly hasSeed: boolean;
  /** How often the baseline is trained. */
  readonly baselineRuns?: number | undefined;
};

export const USUAL_SITTING: SittingKind = { audit: null, canProbe: false, hasSeed: false };

/** A study's state according to the ledger, for the first `step` of a sitting. */
export function initialState(
  ledger: Ledger,
  study: Study,
  limits: StopLimits,
  proposer: Proposer,
  { audit, canProbe, hasSeed, baselineRuns = BASELINE_RUNS }: SittingKind = USUAL_SITTING,
): { readonly study: StudyState; readonly begun: readonly Begun[] } {
  const history = ledger.experiments.history(study.id);
  const incumbent = ledger.experiments.incumbent(study.id);
  const sinceKeep = history.length - 1 - history.findLastIndex(wasKept);
  const crashesInRow = history.length - 1 - history.findLastIndex(entry => entry.verdict !== 'crash');
  const begun = findUnfinished(ledger, study).map(unfinished => ({
    unfinished,
    repairs: countRepairs(ledger, study.id, unfinished.n),
    ...lastRun(ledger, study.id, unfinished.n),
  }));
  const repeats = { ...readRepeats(ledger, study, { canProbe, hasSeed }), baselineRuns };
  const state: StudyState = {
    metric: study.contract.metric,
    limits,
    facts: {
      experiments: history.filter(entry => entry.n > 0).length,
      best: incumbent?.metric ?? null,
      sinceKeep,
      crashesInRow,
    },
    fresh: (ledger.experiments.lastNumber(study.id) ?? -1) + 1,
    repeats: audit === null ? repeats : grant(repeats, audit),
    references: readReferences(ledger, study.id, repeats),
    runMs: ledger.runs.lastDuration(study.id),
    ending: audit === null ? null : { reason: 'audited', detail: null },
    halted: null,
    emptyAt: null,
    wish: 'go',
    isBlocked: false,
    canRepair: proposer.canRepair,
    maxRefusals: proposer.maxRefusals,
  };
  return { study: state, begun };
}

function readRepeats(
  ledger: Ledger,
  { id, contract }: Study,
  { canProbe, hasSeed }: Pick<SittingKind, 'canProbe' | 'hasSeed'>,
): Omit<Repeats, 'baselineRuns'> {
  const rule = ruleOf(contract);
  const history = ledger.experiments.history(id);
  const done = ledger.runs.repeats(id);
  const trials = trialsOf(history, done);
  const incumbent = trials.findLast(({ isKept }) => isKept)?.n;
  const isOnIncumbent = (entry: HistoryEntry) => entry.incumbent === incumbent && entry.verdict !== 'keep';
  const isDiscard = (entry: HistoryEntry) => entry.verdict === 'discard' && entry.lateParent === undefined;
  const begin = 1 + history.findLastIndex(entry => !isOnIncumbent(entry) || entry.reason === 'rolled_back');
  const tries = (repeat: Repeat) =>
    done.filter(({ n, purpose }) => n === repeat.n && purpose === repeat.purpose).length;
  const tried = done
    .filter(repeat => repeat.value !== null || repeat.isCrashed || tries(repeat) > MAX_RERUNS)
    .map(repeat => ({ ...repeat, hasValue: repeat.value !== null }));
  const runs = history.length + done.length;
  return {
    ...{ goal: contract.metric.goal, trials, runs, rule },
    tried,
    discards: history.slice(begin).filter(isDiscard).length,
    auditedAt: runs - (runs % AUDIT_EVERY),
    spent: done.filter(({ purpose }) => purpose === 'audit' || purpose === 'headline').length,
    granted: null,
    probes: {
      ...readProbes(history, tried),
      ...{ isPossible: canProbe && rule === 'honest', bound: contract.metric.bound },
    },
    seeds: readSeeds(tried, hasSeed),
    fresh: tried.filter(({ purpose, isNewest }) => purpose === 'headline' && isNewest).map(({ n }) => n),
  };
}

/** Only the incumbent is asked for. */
function readReferences(ledger: Ledger, studyId: string, repeats: Repeats): ReadonlySet<string> {
  const n = incumbentOf(repeats)?.experiment;
  const runs = n === undefined ? [] : ledger.runs.list(studyId, n);
  const models = runs.flatMap(run => (isScreeningRun(run) ? (run.fairness?.hardware?.gpu ?? []) : []));
  return new Set(models.map(model => referenceOf(n ?? 0, model)));
}

/** Whether it was trained to the end on other hardware than the baseline's. */
function isScreeningRun(run: Run): boolean {
  return run.outcome?.kind === 'exit' && unfairKinds(run).includes('other_hardware');
}

function readSeeds(tried: readonly Repeat[], hasSeed: boolean): Seeds {
  const runs = new Map<number, number>();
  const ofSeeds = tried.filter(({ purpose }) => purpose === 'seed');
  for (const { n, value } of ofSeeds) if (value !== null) runs.set(n, (runs.get(n) ?? 0) + 1);
  // A run that gave no number would give none again.
  return { isFound: hasSeed && ofSeeds.every(({ value }) => value !== null), runs };
}

function readProbes(history: readonly HistoryEntry[], tried: readonly Repeat[]): Probes {
  const known = history
    .filter(({ verdict, n }) => verdict === 'keep' && n > 0)
    .reduce((probes, { n, probe }) => probesAfterKeep(probes, n, probe ?? {}), NO_PROBES);
  return tried
    .filter(({ purpose }) => purpose === 'probe')
    .reduce((probes, { n, value, crashClass }) => {
      const isOwnFailure = crashClass !== null && OWN_FAILURES.includes(crashClass);
      return afterProbe(probes, n, { value, isOwnFailure });
    }, known);
}

/** The headline is measured again, and earlier spending does not count. */
function grant(repeats: Repeats, audit: number): Repeats {
  return { ...repeats, rule: 'honest', granted: audit, spent: 0, fresh: [] };
}

/** Includes one that was taken back: until then it was the best. */
function wasKept({ verdict, reason, probe }: HistoryEntry): boolean {
  return verdict === 'keep' || reason === 'rolled_back' || probe?.wasKept === true;
}

function lastRun(ledger: Ledger, studyId: string, n: number): Pick<Begun, 'lane' | 'isScreened'> {
  const run = ledger.runs.list(studyId, n).at(-1);
  const isScreened = run !== undefined && unfairKinds(run).includes('other_hardware');
  return { lane: run?.lane ?? null, isScreened };
}

/** What an earlier sitting left unfinished; includes a failed baseline, which a new sitting tries again. */
function findUnfinished(ledger: Ledger, study: Study): readonly Unfinished[] {
  const { experiments } = ledger;
  const { id, baseCommit } = study;
  const unfinished = experiments.unfinished(id);
  const isFailed = unfinished.length === 0 && experiments.get(id, 0)?.verdict?.word === 'crash';
  if (isFailed) return [{ n: 0, at: 'attempt', commit: baseCommit }];
  return unfinished.map(experiment => wayOn(ledger, study, experiment));
}

/** How an unfinished experiment continues. */
function wayOn(ledger: Ledger, study: Study, { n, attemptCommit: commit }: Experiment): Unfinished {
  const { reviews } = ledger;
  const { id } = study;
  // A repair that waits for the user comes before another run of the code it repairs.
  const review = reviews.open(id, n);
  if (review) return { n, at: 'review', repair: review.isRepair ? findCrashedRun(ledger, study, n) : null };
  const held = findHeldRun(ledger, study, n);
  if (held) return { n, at: 'verdict', run: held };
  if (findAwaited(ledger, study, n)) return { n, at: 'number', isResumed: true };
  return commit === null ? { n, at: 'proposal' } : { n, at: 'attempt', commit };
}

/** The repairs that an interrupted experiment has had: each made its own attempt. */
function countRepairs(ledger: Ledger, studyId: string, n: number): number {
  const attempts = new Set(ledger.runs.list(studyId, n).map(run => run.commit));
  return Math.max(0, attempts.size - 1);
}
