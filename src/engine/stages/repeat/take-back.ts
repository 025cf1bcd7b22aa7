import { AGAIN } from '../../../shared/ideas.ts';
import type { ProbeEvidence, ProbeReason } from '../../../shared/probes.ts';
import type { Verdict } from '../../../shared/study.ts';
import { writeResultsFile } from '../../export/results-file.ts';
import { editOf } from '../../proposers/queue-idea.ts';
import { rollBack } from '../record/branch.ts';
import type { StageContext } from '../stage-context.ts';

/** A keep that cannot stay, with all that was built on it; see `findTakeBack`. */
export type Unfounded = {
  readonly n: number;
  readonly reason: ProbeReason;
  readonly evidence: ProbeEvidence;
  /** Experiments of the branch from it on, oldest first. */
  readonly chain: readonly number[];
  /** Experiment at which the branch is to stand. */
  readonly parent: number;
};

export type TakenBack = { readonly type: 'taken_back'; readonly back: Unfounded };

/**
 * Takes a keep back whose number does not come from the data, and what was built on it, whose edits wait to be tried again: all in
 * one transaction, before the branch moves back from parent to parent.
 */
export async function takeBack(context: StageContext, back: Unfounded): Promise<TakenBack> {
  const { ledger, repository, study, paths, emit, workbench, now } = context;
  const { n, reason, evidence, chain, parent } = back;
  const all = chain.flatMap(number => ledger.experiments.get(study.id, number) ?? []);
  const edits = await Promise.all(
    all.map(({ n: number }) =>
      number === n ? null : editOf({ ledger, paths }, study, number).catch(() => null),
    ),
  );
  const queued = all.flatMap((experiment, place) => {
    const edit = edits[place];
    return edit ? [{ ...experiment, edit }] : [];
  });
  ledger.write(() => {
    for (const experiment of all) {
      if (!experiment.verdict) throw new Error(`experiment ${experiment.n} has no verdict`);
      const own = experiment.verdict.evidence;
      const verdict: Verdict =
        experiment.n === n
          ? { word: 'discard', reason, evidence: { ...own, probe: evidence } }
          : { word: 'discard', reason: 'rolled_back', evidence: { ...own, builtOn: n } };
      ledger.experiments.decide(study.id, experiment.n, verdict, experiment.endedAt ?? now(), true);
    }
    for (const { proposal, edit } of queued) {
      ledger.ideas.add(study.id, {
        ...{ author: AGAIN, hypothesis: proposal?.hypothesis ?? '', rationale: proposal?.rationale ?? null },
        ...{ predictedEffect: proposal?.predictedEffect ?? null, category: proposal?.category ?? null },
        ...{ at: now(), edit },
      });
    }
  });
  for (const { n: number, attemptCommit, parentCommit } of all.toReversed()) {
    if (!attemptCommit || !parentCommit) throw new Error(`experiment ${number} has no commit`);
    await rollBack(ledger, repository, study, number, attemptCommit, parentCommit, workbench.path);
  }
  await writeResultsFile(ledger, paths, study);
  const [first] = all;
  emit({
    ...{
      type: 'taken_back',
      n,
      reason,
      ...evidence,
      parent,
      chain: [...chain],
      queued: queued.map(experiment => experiment.n),
    },
    ...{ commit: first?.attemptCommit ?? '', parentCommit: first?.parentCommit ?? '' },
  });
  return { type: 'taken_back', back };
}
