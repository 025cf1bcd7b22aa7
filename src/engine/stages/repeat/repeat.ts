import { homedir } from 'node:os';
import type { CrashClass, RepeatPurpose } from '../../../shared/study.ts';
import type { FlagKind } from '../../../shared/verdicts/fairness.ts';
import type { Denial } from '../../model-in-training/answers.ts';
import { runMarker } from '../../process/markers.ts';
import { tokenFiles } from '../../sandbox/data-caches.ts';
import { findPlaceFault } from '../../sandbox/exchange.ts';
import { trySandbox } from '../../sandbox/find-sandbox.ts';
import { type Measured, unfairKinds } from '../measure/measured.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';
import { surroundingsOf } from '../train/surroundings.ts';
import { lookAhead } from '../train/train.ts';
import { trainAttempt, withAnswers } from '../train/train-attempt.ts';
import { takeOtherSeed } from './other-seed.ts';

/** A commit was trained again. */
export type Repeated = {
  readonly type: 'repeated';
  readonly n: number;
  readonly purpose: RepeatPurpose;
  /** Null if the run crashed. */
  readonly value: number | null;
  /** Whether there is no number because of its own code, rather than the machine, a limit or a check. */
  readonly isOwnFailure: boolean;
  /** Why the number was not measured fairly; empty if it was. */
  readonly unfair: readonly FlagKind[];
  readonly denial: Denial | null;
  readonly ended: EndedRun;
};

/** Crashes that a training's own code causes. */
export const OWN_FAILURES: readonly CrashClass[] = ['exception', 'no_metric', 'diverged'];

/** Data cannot be swapped here, or there is no seed; nothing was trained. */
export type NotProbed = { readonly type: 'not_probed'; readonly purpose: 'probe' | 'seed' };

/** Why data cannot be swapped here. Tries a run's jail, first as it is and then with the data swapped. */
async function findProbeFault(context: StageContext, n: number): Promise<string | null> {
  const { study, workbench, userEnvironment, paths, repository, remote } = context;
  if (remote) return 'Data can only be swapped in lanes of this machine.';
  const { swaps } = study.contract.audit;
  const marker = runMarker(study.id, n, 0);
  const { sandbox } = await surroundingsOf(study, context, marker);
  if (!sandbox) return 'Without a sandbox, data cannot be swapped.';
  const home = userEnvironment.HOME ?? homedir();
  const secret = [...tokenFiles(userEnvironment, home), paths.home, repository.gitDir];
  const fault = await findPlaceFault(swaps, workbench.path, home, secret);
  if (fault !== null) return fault;
  const exchanged = await surroundingsOf(study, context, marker, swaps);
  const failed = await trySandbox(exchanged.sandbox ?? [], exchanged.environment);
  return failed === null ? null : `The data of audit.swap cannot be swapped. ${failed}`;
}

export type RepeatInput = {
  readonly n: number;
  readonly purpose: RepeatPurpose;
  /** A run whose end is not written yet. */
  readonly before: EndedRun | null;
  /** The run result of the experiment whose verdict waits for this; null if none waits. */
  readonly held: Measured | null;
  /** Experiments to come whose proposals may be prepared meanwhile. */
  readonly ahead: readonly number[];
};

/** Trains an experiment's commit once more. What it prints says nothing of its verdict by itself. */
export async function repeat(
  context: StageContext,
  { n, purpose, before, held, ahead }: RepeatInput,
): Promise<Repeated | NotProbed | { readonly type: 'aborted'; readonly n: null; readonly ended: null }> {
  const { ledger, repository, workbench, emit, study, now } = context;
  const commit = ledger.experiments.get(study.id, n)?.attemptCommit;
  if (!commit) throw new Error(`experiment ${n} has no commit to train again`);
  if (before)
    endRun(context, before, ({ experiments }) => {
      if (held) experiments.setEvidence(study.id, held.n, { run: held.k, hints: held.hints });
      return [];
    });
  await workbench.checkout(commit);
  const fault = purpose === 'probe' ? await findProbeFault(context, n) : null;
  if (fault !== null) {
    // Upstream's shape names this data even if it is missing, so there is no warning.
    if (study.contract.source !== 'autoresearch')
      emit({ type: 'warning', code: 'probe', message: `${fault} No keep is audited.` });
    return { type: 'not_probed', purpose: 'probe' };
  }
  // Another machine trains what was committed, and the seed is changed in the worktree only.
  if (purpose === 'seed' && context.remote) return { type: 'not_probed', purpose };
  if (purpose === 'seed') {
    const done = ledger.runs.list(study.id, n).filter(run => run.purpose === 'seed' && run.value !== null);
    // Counted per commit, so that both commits are trained with the same seeds.
    const isOther = await takeOtherSeed(workbench.path, repository, commit, study.contract, 1 + done.length);
    if (!isOther) return { type: 'not_probed', purpose };
  }
  emit({ type: 'repeat_started', n, purpose });
  await lookAhead(context, ahead);
  const once = () =>
    trainAttempt(study, n, commit, context, purpose).catch(error => {
      // If it was stopped while its files were compared, nothing else records its end.
      ledger.write(() => ledger.runs.interruptOpen(now(), { studyId: study.id, n }));
      throw error;
    });
  const { value: ended, denial } = await withAnswers(context, n, once);
  if (ended.result.outcome.kind === 'aborted') {
    endRun(context, ended, ({ runs }) => {
      runs.interrupt(ended.run, now());
      return [];
    });
    return { type: 'aborted', n: null, ended: null };
  }
  // A run that breaks a condition has no number that could be trusted. For a probe, conditions do not matter.
  const value = ended.guard && purpose !== 'probe' ? null : ended.metric;
  const isOwnFailure = value === null && OWN_FAILURES.includes(ended.result.crash?.class ?? 'killed');
  const unfair = unfairKinds(ended.result);
  return { type: 'repeated', n, purpose, value, isOwnFailure, unfair, denial, ended };
}
