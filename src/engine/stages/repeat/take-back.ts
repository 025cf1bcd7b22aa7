import { AGAIN } from '../../../shared/proposers/ideas.ts';
import { type Experiment, isBetter, lastTrial, type Verdict } from '../../../shared/study.ts';
import type { ProbeEvidence, ProbeReason } from '../../../shared/verdicts/probes.ts';
import { writeResultsFile } from '../../export/results-file.ts';
import { StudyReader } from '../../proposers/briefing/study-reader.ts';
import { readChanges } from '../../proposers/queue-idea.ts';
import type { IdeaEdit } from '../../store/ideas.ts';
import { rollBack } from '../record/branch.ts';
import type { StageContext } from '../stage-context.ts';

/** A keep that cannot stay, with every keep built on it; see `findTakeBack`. */
export type Unfounded = {
  readonly n: number;
  readonly reason: ProbeReason;
  readonly evidence: ProbeEvidence;
  /**
   * Experiments of the branch after `parent`, oldest first: this keep, those after it, and those before it whose
   * probes were inconclusive.
   */
  readonly chain: readonly number[];
  /** The experiment to which the branch goes back, and the mean of its runs. */
  readonly parent: number;
  readonly parentRecord: number;
};

export type TakenBack = {
  readonly type: 'taken_back';
  readonly back: Unfounded;
  /** Unfinished experiments that ended together with it. */
  readonly closed: readonly number[];
};

/** Nobody would look through more. */
const MOST_QUEUED = 30;
const GONE = 'The attempt it was based on was taken back.';

/**
 * Takes back a keep whose number does not come from the data, and every keep built on it: all in one transaction,
 * before the branch moves back from parent to parent. Edits that beat the remaining parent wait to be tried again,
 * and so does the edit of an experiment in flight.
 */
export async function takeBack(context: StageContext, back: Unfounded): Promise<TakenBack> {
  const { ledger, study, paths, enter, now } = context;
  const { n, reason, evidence, chain, parent, parentRecord } = back;
  const all = chain.flatMap(number => ledger.experiments.get(study.id, number) ?? []);
  const open = ledger.experiments
    .unfinished(study.id)
    .filter(other => !other.verdict && hasEdit(context, other) && isBuiltOn(context, other, chain));
  const again = [...all.filter(other => other.n !== n), ...findBetter(context, back), ...open];
  const queued = await readAll(context, again.slice(0, MOST_QUEUED));
  const own = all.find(experiment => experiment.n === n);
  const base = ledger.experiments.get(study.id, parent)?.branchCommit ?? study.baseCommit;
  const announce = enter(hold => {
    for (const experiment of all) {
      if (!experiment.verdict) throw new Error(`experiment ${experiment.n} has no verdict`);
      const own = experiment.verdict.evidence;
      const verdict: Verdict =
        experiment.n === n
          ? { word: 'discard', reason, evidence: { ...own, probe: evidence, wasKept: true } }
          : { word: 'discard', reason: 'rolled_back', evidence: { ...own, takenBackWith: n } };
      ledger.experiments.decide(study.id, experiment.n, verdict, experiment.endedAt ?? now(), {
        wasKept: true,
      });
    }
    for (const { n: number } of open) {
      const review = ledger.reviews.open(study.id, number);
      if (review) ledger.reviews.close(review.id, 'rejected', GONE, [], now(), review.commit);
      const run = lastTrial(ledger.runs.list(study.id, number))?.k ?? 0;
      const ended: Verdict = { word: 'discard', reason: 'rolled_back', evidence: { run, takenBackWith: n } };
      ledger.experiments.decide(study.id, number, ended, now());
    }
    for (const [{ proposal }, edit] of queued) {
      ledger.ideas.add(study.id, {
        ...{ author: AGAIN, hypothesis: proposal?.hypothesis ?? '', rationale: proposal?.rationale ?? null },
        ...{ predictedEffect: proposal?.predictedEffect ?? null, category: proposal?.category ?? null },
        ...{ at: now(), edit },
      });
    }
    hold({
      ...{ type: 'taken_back', n, reason, ...evidence, parent, parentRecord },
      ...{
        chain: [...chain, ...open.map(other => other.n)],
        queued: queued.map(([experiment]) => experiment.n),
      },
      ...{ commit: own?.attemptCommit ?? '', parentCommit: base },
    });
    return [];
  });
  for (const [place, { n: number, branchCommit }] of [...all.entries()].toReversed()) {
    const to = all[place - 1]?.branchCommit ?? base;
    if (!branchCommit) throw new Error(`experiment ${number} has no commit`);
    await rollBack(context, { n: number, from: branchCommit, to });
  }
  await writeResultsFile(ledger, paths, study);
  announce();
  return { type: 'taken_back', back, closed: open.map(other => other.n) };
}

/** An experiment without an edit is simply proposed again, on the new incumbent. */
function hasEdit({ ledger, study }: StageContext, { n, attemptCommit }: Experiment): boolean {
  return attemptCommit !== null || ledger.reviews.open(study.id, n) !== null;
}

/** An experiment that builds on none of these keeps continues. */
function isBuiltOn(
  { ledger, study }: StageContext,
  { parentCommit }: Experiment,
  chain: readonly number[],
): boolean {
  return chain.some(n => ledger.experiments.get(study.id, n)?.branchCommit === parentCommit);
}

/** Attempts that lost only to numbers that were not real. */
function findBetter(
  { ledger, study }: StageContext,
  { chain, parentRecord }: Unfounded,
): readonly Experiment[] {
  const { goal } = study.contract.metric;
  return ledger.experiments
    .history(study.id)
    .filter(
      ({ reason, record, incumbent }) =>
        (reason === 'worse' || reason === 'equal') &&
        incumbent !== null &&
        chain.includes(incumbent) &&
        record !== null &&
        isBetter(goal, record, parentRecord),
    )
    .flatMap(({ n }) => ledger.experiments.get(study.id, n) ?? []);
}

/** Reads the edit of each; leaves out edits that cannot be tried again. */
async function readAll(
  { ledger, repository, study, paths }: StageContext,
  experiments: readonly Experiment[],
): Promise<readonly (readonly [Experiment, IdeaEdit])[]> {
  const reader = new StudyReader(study, { ledger, repository, paths });
  const read = experiments.map(async experiment => {
    const review = ledger.reviews.open(study.id, experiment.n);
    const base = review?.parent ?? experiment.parentCommit;
    const commit = review?.commit ?? experiment.attemptCommit;
    if (!base || !commit) return [];
    const edit = await readChanges({ repository, reader }, base, commit).catch(() => null);
    return edit && edit.files.size > 0 ? [[experiment, edit] as const] : [];
  });
  return (await Promise.all(read)).flat();
}
