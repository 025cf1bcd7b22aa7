import { basename } from 'node:path';
import type { Debrief, DebriefRecord } from '../../shared/debrief/debrief.ts';
import { PawlError } from '../../shared/errors.ts';
import { canRead } from '../../shared/proposers/proposers.ts';
import type { Study } from '../../shared/study.ts';
import { isTried } from '../../shared/tried.ts';
import { USUAL_NOISE_SHARE } from '../../shared/verdicts/claims.ts';
import { branchRef } from '../git/refs.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import { canRepeat } from '../stages/judge/verdict-rule.ts';
import type { Ledger } from '../store/ledger.ts';
import { compareArms } from './arms.ts';
import { crashGroups, deadEnds, keptIdeas, nearMisses, surprises, takenBackIdeas } from './ideas.ts';
import { nextSteps } from './next-steps.ts';
import { readRows, readTrials } from './read-trials.ts';
import { findSittings, isWithin, type Span } from './sittings.ts';
import { whereTimeWent } from './time.ts';
import { energyWh, isKept, sumKnown, type Trial } from './trial.ts';
import { instructionsYields, noteYields } from './yields.ts';

/**
 * The debrief of a study, or of one sitting. If the repository is gone, it does not say what the edits changed.
 * Rejects with `usage` if there is no such sitting.
 * @param asked the sitting's index, negative from the end; null for the whole study. If there is no sitting, the last one is the
 * whole study.
 */
export async function readDebrief(
  ledger: Ledger,
  study: Study,
  asked: number | null,
  now: number,
): Promise<Debrief> {
  const { id, contract } = study;
  const { goal, name } = contract.metric;
  const everything = readRows(ledger, id);
  const all = await readTrials(ledger, study, everything);
  const marks = ledger.marks.list(id);
  const sittings = findSittings(
    marks,
    all.map(({ endedAt }) => endedAt),
    study.state === 'running' || study.state === 'paused',
  );
  const isWhole = asked === null || (asked === -1 && sittings.length === 0);
  const place = isWhole ? null : asked >= 0 ? asked : sittings.length + asked;
  const sitting = place === null ? null : sittings[place];
  if (sitting === undefined) throw new PawlError('usage', `${study.tag} has ${sittings.length} sittings.`);
  const spans: readonly Span[] = sitting ? [sitting] : sittings;
  const whole: Span = { from: study.createdAt, until: null };
  const isIn = (at: number | null) => isWithin(at, sitting ?? whole);
  const isImported = study.state === 'imported';
  const trials = all.filter(({ endedAt }) => isImported || isIn(endedAt));
  const tried = trials.filter(trial => isTried(trial, isImported));
  const calls = everything.calls.filter(({ at }) => isIn(at));
  const runs = everything.runs.filter(({ endedAt }) => isIn(endedAt));
  const claims = assessStudy(ledger, study);
  const baseline = bestAt(all.slice(0, 1), now);
  const before = (sitting && bestAt(all, sitting.from)) ?? baseline;
  const after = bestAt(all, sitting?.until ?? now);
  const assumed = Math.abs(before?.record.mean ?? 0) * USUAL_NOISE_SHARE;
  const noise = claims?.isRepeatable ? 0 : (claims?.noise ?? assumed);
  const instructions = instructionsYields(versionsOf(ledger, study), trials);
  const found = {
    study: {
      ...{ id, tag: study.tag, project: basename(study.repositoryPath), metric: { name, goal } },
      branch: study.state === 'imported' ? null : branchRef(study.tag).replace('refs/heads/', ''),
      ...{ state: study.state, stopReason: study.stopReason, stopDetail: study.stopDetail },
    },
    ...{ claims, before, after, instructions },
    kept: keptIdeas(tried, claims),
    nearMisses: nearMisses(trials, noise, all),
    crashes: crashGroups(trials),
  };
  return {
    ...found,
    ...{ sittings, sitting: place },
    summary: ledger.summaries.newest(id, sitting?.from ?? null),
    from: sitting?.from ?? sittings[0]?.from ?? study.createdAt,
    until: sitting?.until ?? sittings.at(-1)?.until ?? now,
    counts: {
      tried: tried.length,
      keep: found.kept.length,
      discard: count(tried, 'discard'),
      crash: count(tried, 'crash'),
      other: count(tried, 'other'),
      repeats: runs.filter(({ purpose }) => purpose !== null).length,
      refused: ledger.refusals.list(id).filter(({ at }) => isIn(at)).length,
    },
    takenBack: takenBackIdeas(trials),
    deadEnds: deadEnds(trials),
    surprises: surprises(trials, noise, goal),
    time: whereTimeWent(trials, runs, calls, { spans, marks, now }),
    resources: {
      energyWh: sumKnown(trials.map(energyWh)),
      costUsd: sumKnown(everything.costs.filter(({ at }) => isIn(at)).map(({ usd }) => usd)),
    },
    arms: compareArms(tried, calls),
    notes: noteYields(
      ledger.marks.ofKind(id, 'steered').filter(({ at }) => isIn(at)),
      trials,
    ),
    next: nextSteps({
      ...found,
      canAudit: canRepeat(contract),
      instructionsPath: contract.instructions,
      canSteer: canRead(study.proposer),
    }),
  };
}

function count(trials: readonly Trial[], word: Trial['verdict']['word']): number {
  return trials.filter(({ verdict }) => verdict.word === word).length;
}

/** The newest keep that had ended at this time. */
function bestAt(trials: readonly Trial[], at: number): DebriefRecord | null {
  const best = trials.findLast(trial => isKept(trial) && trial.endedAt <= at);
  return best?.record ? { n: best.n, record: best.record } : null;
}

function versionsOf(ledger: Ledger, study: Study) {
  const saved = ledger.instructions.list(study.id).toReversed();
  return [
    { version: 0, at: Math.min(study.createdAt, saved[0]?.at ?? study.createdAt) },
    ...saved.map(({ id: version, at }) => ({ version, at })),
  ];
}
