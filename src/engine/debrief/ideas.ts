import { rollup, rollups, sum } from 'd3-array';
import { type Goal, signOf } from '../../shared/contract/contract.ts';
import type {
  CrashGroup,
  DeadEnd,
  KeptIdea,
  NearMiss,
  Surprise,
  TakenBackIdea,
} from '../../shared/debrief/debrief.ts';
import { lastTrial } from '../../shared/study.ts';
import type { Claim, StudyClaims } from '../../shared/verdicts/claims.ts';
import { describeFlagKind } from '../../shared/verdicts/fairness.ts';
import { describeGuard } from '../../shared/verdicts/guard.ts';
import { describeProbe, isProbeReason } from '../../shared/verdicts/probes.ts';
import { describeRollBack, describeTakenWith } from '../../shared/verdicts/repeats.ts';
import { ideaOf, isKept, type Trial, trainedSeconds } from './trial.ts';

/** Nobody reads a longer list in the morning; the notebook has all of it. */
const MOST_MISSES = 8;
const MOST_SURPRISES = 5;
const MOST_DEAD_ENDS = 12;
/** After this many experiments without a keep, a kind of idea is a dead end. */
const LEAST_TRIED = 3;

/** @param trials without the baseline */
export function keptIdeas(trials: readonly Trial[], claims: StudyClaims | null): readonly KeptIdea[] {
  const keeps = trials.filter(isKept);
  const told = rollup(
    keeps,
    all => all.length,
    ({ proposal }) => proposal?.rationale,
  );
  return keeps.map(trial => {
    const rationale = trial.proposal?.rationale ?? null;
    const claim: Claim | undefined = claims?.keeps.find(({ n }) => n === trial.n);
    const { attemptCommit, gain, record, verdict, supersededBy } = trial;
    return {
      ...ideaOf(trial),
      // What is said of several does not tell one from another.
      rationale: rationale !== null && told.get(rationale) === 1 ? rationale : null,
      ...{ commit: attemptCommit, gain, record },
      ...{ probability: claim?.probability ?? null, isProven: claim?.isProven ?? false },
      isSimplification: verdict.reason === 'simplified',
      supersededBy,
    };
  });
}

export function takenBackIdeas(trials: readonly Trial[]): readonly TakenBackIdea[] {
  return trials.flatMap(trial => {
    const { n, verdict } = trial;
    const { rolledBack, takenBackWith, probe } = verdict.evidence;
    const why = rolledBack
      ? describeRollBack({ ...rolledBack, n, parent: rolledBack.parentExperiment })
      : takenBackWith !== undefined
        ? describeTakenWith(takenBackWith)
        : probe && isProbeReason(verdict.reason)
          ? describeProbe(verdict.reason, probe)
          : null;
    return why === null ? [] : [{ ...ideaOf(trial), why }];
  });
}

/** Kinds of ideas without a single keep: by category, by changed constant, by file. */
export function deadEnds(trials: readonly Trial[]): readonly DeadEnd[] {
  const tried = trials.filter(({ n }) => n > 0);
  const groups = [
    ...groupsBy('category', tried, ({ proposal }) => (proposal?.category ? [proposal.category] : [])),
    ...groupsBy('constant', tried, ({ edit }) => edit?.constants ?? []),
    ...groupsBy('file', tried, ({ edit }) => edit?.files ?? []),
  ];
  const dead = groups
    .filter(({ members }) => members.length >= LEAST_TRIED && !members.some(isKept))
    // If all experiments of a category touch the same file, the category says more.
    .filter(({ members }, place) => !groups.slice(0, place).some(other => isSame(other.members, members)));
  return dead
    .map(({ kind, name, members }) => {
      const gains = members.flatMap(({ gain }) => gain ?? []);
      return {
        ...{ kind, name, tried: members.length, experiments: members.map(({ n }) => n) },
        nearest: gains.length === 0 ? null : Math.max(...gains),
      };
    })
    .sort((a, b) => b.tried - a.tried)
    .slice(0, MOST_DEAD_ENDS);
}

type Group = {
  readonly kind: DeadEnd['kind'];
  readonly name: string;
  readonly members: readonly Trial[];
};

function groupsBy(
  kind: DeadEnd['kind'],
  trials: readonly Trial[],
  namesOf: (trial: Trial) => readonly string[],
): readonly Group[] {
  const groups = new Map<string, Trial[]>();
  for (const trial of trials) {
    for (const name of namesOf(trial)) {
      const members = groups.get(name);
      if (members) members.push(trial);
      else groups.set(name, [trial]);
    }
  }
  return [...groups].map(([name, members]) => ({ kind, name, members }));
}

function isSame(a: readonly Trial[], b: readonly Trial[]): boolean {
  return a.length === b.length && a.every((trial, place) => trial === b[place]);
}

export function crashGroups(trials: readonly Trial[]): readonly CrashGroup[] {
  const crashes = trials.flatMap(trial =>
    trial.verdict.word === 'crash' ? [{ trial, kind: trial.verdict.reason }] : [],
  );
  return rollups(
    crashes,
    all => all.map(({ trial }) => trial),
    ({ kind }) => kind,
  )
    .map(([kind, members]) => ({
      class: kind,
      experiments: members.map(({ n }) => n).toReversed(),
      message: lastTrial(members.at(-1)?.runs ?? [])?.crash?.message ?? '',
      trainedSeconds: sum(members, trainedSeconds),
    }))
    .sort((a, b) => b.experiments.length - a.experiments.length);
}

/**
 * @param noise standard deviation from run to run, in the metric's unit; 0 where a repeated run gives the same number
 * @param all of the study, in the order of their verdicts
 */
export function nearMisses(
  trials: readonly Trial[],
  noise: number,
  all: readonly Trial[],
): readonly NearMiss[] {
  const keeps = all.filter(trial => isKept(trial) && trial.supersededBy === null);
  const misses = trials.flatMap(trial => {
    const why = whyNear(trial, noise);
    return why === null || keeps.some(keep => hasTakenPlace(keep, trial))
      ? []
      : [{ ...ideaOf(trial), gain: trial.gain, why }];
  });
  return misses.sort((a, b) => (b.gain ?? 0) - (a.gain ?? 0)).slice(0, MOST_MISSES);
}

/** Whether a keep contains the edit, or changed the same constants later. */
function hasTakenPlace({ edit: kept, verdictOrder }: Trial, { edit, ...trial }: Trial): boolean {
  if (!kept || !edit) return false;
  if (edit.lines.size > 0 && [...edit.lines].every(line => kept.lines.has(line))) return true;
  const isLater = Number(verdictOrder) > Number(trial.verdictOrder);
  return isLater && kept.constants.some(name => edit.constants.includes(name));
}

function whyNear({ verdict, gain }: Trial, noise: number): string | null {
  if (verdict.reason === 'other_hardware') return 'Its number does not count: it trained on other hardware.';
  if (verdict.word !== 'discard' || gain === null) return null;
  const { guard, unfair } = verdict.evidence;
  if (verdict.reason === 'guard' && guard && gain > 0) return `Better, but ${describeGuard(guard)}.`;
  if (verdict.reason === 'memory_limit' && gain > 0) return 'Better, but it takes more memory than it may.';
  if (verdict.reason !== 'worse' && verdict.reason !== 'equal') return null;
  if (unfair && unfair.length > 0 && gain > -2 * noise) {
    return `Its run was not fair: ${unfair.map(describeFlagKind).join('; ')}.`;
  }
  // A value that is equal to the last digit shows that the edit changed nothing.
  return noise > 0 && gain !== 0 && gain >= -noise
    ? 'Within the noise: two runs of the same code differ as much.'
    : null;
}

/** Experiments whose prediction and result differ by more than the noise explains, and by more than half of either. */
export function surprises(trials: readonly Trial[], noise: number, goal: Goal): readonly Surprise[] {
  const found = trials.flatMap(trial => {
    const effect = trial.proposal?.predictedEffect ?? null;
    if (effect === null || !Number.isFinite(effect) || trial.gain === null || trial.n === 0) return [];
    const predicted = -signOf(goal) * effect;
    const apart = Math.abs(trial.gain - predicted);
    const isFar = apart > 3 * noise && apart > Math.max(Math.abs(predicted), Math.abs(trial.gain)) / 2;
    return isFar ? [{ ...ideaOf(trial), predicted, actual: trial.gain, apart }] : [];
  });
  return found
    .sort((a, b) => b.apart - a.apart)
    .slice(0, MOST_SURPRISES)
    .map(({ apart: _, ...surprise }) => surprise);
}
