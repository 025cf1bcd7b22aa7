import { homedir } from 'node:os';
import type { FlagKind } from '../../../shared/fairness.ts';
import type { RepeatPurpose } from '../../../shared/study.ts';
import type { Denial } from '../../asked-model/answers.ts';
import { findSwapFault } from '../../sandbox/exchange.ts';
import { unfairKinds } from '../measure/measured.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import { type EndedRun, trainAttempt } from '../train/train-attempt.ts';

/** A commit was trained again. */
export type Repeated = {
  readonly type: 'repeated';
  readonly n: number;
  readonly purpose: RepeatPurpose;
  /** Null where the run crashed. */
  readonly value: number | null;
  /** Why the number was not fairly come by; empty where it was. */
  readonly unfair: readonly FlagKind[];
  readonly denial: Denial | null;
  readonly ended: EndedRun;
};

/** Data cannot be exchanged here; nothing was trained. */
export type NotProbed = { readonly type: 'not_probed' };

async function findProbeFault({
  sandbox,
  study,
  workbench,
  userEnvironment,
}: StageContext): Promise<string | null> {
  // It may have turned out with the first run that it does not work.
  if (!sandbox || sandbox.isWorking === false) return 'Without a sandbox no data can be exchanged.';
  return findSwapFault(study.contract.audit.swaps, workbench.path, userEnvironment.HOME ?? homedir());
}

/**
 * Trains an experiment's commit once more. What it prints says nothing of its verdict by itself.
 * @param before a run whose end is not written yet
 */
export async function repeat(
  context: StageContext,
  n: number,
  purpose: RepeatPurpose,
  before: EndedRun | null,
): Promise<Repeated | NotProbed | { readonly type: 'aborted'; readonly n: null; readonly ended: null }> {
  const { ledger, workbench, emit, study, now } = context;
  const commit = ledger.experiments.get(study.id, n)?.attemptCommit;
  if (!commit) throw new Error(`experiment ${n} has no commit to train again`);
  if (before) endRun(context, before);
  await workbench.checkout(commit);
  const fault = purpose === 'probe' ? await findProbeFault(context) : null;
  if (fault !== null) {
    // Upstream's shape names its data whether it is there or not.
    if (study.contract.source !== 'autoresearch')
      emit({ type: 'warning', code: 'probe', message: `${fault} No keep is audited.` });
    return { type: 'not_probed' };
  }
  emit({ type: 'repeat_started', n, purpose });
  const once = () =>
    trainAttempt(study, n, commit, context, purpose).catch(error => {
      // Stopped while its files were looked at: nothing else says that it has ended.
      ledger.write(() => {
        for (const open of ledger.runs.open()) ledger.runs.interrupt(open.run, now());
      });
      throw error;
    });
  const { value: ended, denial } = (await context.model?.during(n, once)) ?? {
    value: await once(),
    denial: null,
  };
  if (ended.result.outcome.kind === 'aborted') {
    endRun(context, ended, ({ runs }) => runs.interrupt(ended.run, now()));
    return { type: 'aborted', n: null, ended: null };
  }
  // One that breaks a condition now and then has no number that could be trusted this time.
  const value = ended.guard ? null : ended.metric;
  return { type: 'repeated', n, purpose, value, unfair: unfairKinds(ended.result), denial, ended };
}
