import { isBetter, type Verdict } from '../../../shared/study.ts';
import { describeEarlyEnd } from '../../../shared/verdicts/early-end.ts';
import { describeGuard } from '../../../shared/verdicts/guard.ts';
import { describeProbe, isProbeReason } from '../../../shared/verdicts/probes.ts';
import { appendResult } from '../../export/results-file.ts';
import { metricDelta } from '../../export/results-tsv.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';
import { ratchet } from './branch.ts';
import { endRun } from './end-run.ts';
import { type Combination, combine, supersede } from './late-result.ts';

export type Recorded = { readonly type: 'recorded'; readonly n: number; readonly verdict: Verdict };

/** The reason if it is not better, equal or worse; otherwise null. */
function describeEvidence({ reason, evidence }: Verdict): string | null {
  const { guard, probe } = evidence;
  if (guard) return describeGuard(guard);
  return probe && isProbeReason(reason) ? describeProbe(reason, probe) : describeEarlyEnd(evidence);
}

/** Records the verdict (and the run's end if it is not stored yet), moves the branch for a keep, and sends events. */
export async function record(
  context: StageContext,
  {
    n,
    verdict,
    ended,
    combination,
  }: {
    readonly n: number;
    readonly verdict: Verdict;
    readonly ended: EndedRun | null;
    readonly combination: Combination | null;
  },
): Promise<Recorded> {
  const { ledger, emit, now, study } = context;
  const { id, baseCommit } = study;
  const before = ledger.experiments.incumbent(id);
  const branchCommit = await supersede(context, n, verdict);
  const idea = combination && (await combine(context, combination));
  endRun(context, ended, () => {
    ledger.experiments.decide(id, n, verdict, now(), { branchCommit });
    if (idea) ledger.ideas.add(id, idea);
    return [{ type: 'phase', n, phase: 'deciding' }];
  });
  const experiment = ledger.experiments.get(id, n);
  if (!experiment) throw new Error(`experiment ${n} is not in the ledger`);
  const { attemptCommit, branchCommit: commit, metric } = experiment;
  const crash = ledger.runs.list(id, n)[verdict.evidence.run]?.crash ?? null;
  const isKeep = verdict.word === 'keep';
  if (isKeep && commit) {
    await ratchet(context, { n, from: before?.commit ?? baseCommit, to: commit });
  }
  await appendResult(ledger, context.paths, study, n);
  emit({
    ...{ type: 'verdict', n, verdict: verdict.word, reason: verdict.reason, metric, commit: attemptCommit },
    delta: metricDelta(experiment),
    memory: experiment.memory,
    message: crash?.message ?? describeEvidence(verdict),
    seconds: experiment.trainedSeconds,
    hypothesis: experiment.proposal?.hypothesis ?? '',
  });
  // With fewer lines, a slightly worse number is also kept.
  const isWorse = before && metric !== null && isBetter(study.contract.metric.goal, before.metric, metric);
  if (isKeep && metric !== null && commit && !isWorse) {
    emit({ type: 'new_best', n, commit, metric, previous: before?.metric ?? null });
  }
  return { type: 'recorded', n, verdict };
}
