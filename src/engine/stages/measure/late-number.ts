import { measure } from '../../metrics/measure.ts';
import { endRun } from '../record/end-run.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';
import type { Disturbed, Sitting } from '../unfinished.ts';
import { awaitedUntil, awaitNumber, findAwaited } from './await-number.ts';
import { compareLines, type Measured, unfairKinds } from './measured.ts';

/** The number arrived, or its time is over. */
export type Numbered = { readonly type: 'numbered'; readonly run: Measured };

/**
 * Waits for the number of a run that has ended, however long. A user's request or the deadline interrupts the wait,
 * which continues later.
 */
export async function takeLateNumber(
  context: StageContext,
  {
    n,
    ended,
    isResumed,
  }: { readonly n: number; readonly ended: EndedRun | null; readonly isResumed: boolean },
  sitting: Sitting & { readonly rest: (ms: number) => Promise<unknown> },
): Promise<Numbered | Disturbed> {
  const { ledger, workbench, now, emit, signal, study } = context;
  const { deadline, hasWish, rest } = sitting;
  endRun(context, ended);
  const run = findAwaited(ledger, study, n);
  if (!run) throw new Error(`experiment ${n} has no run whose number is to come`);
  if (isResumed) {
    // The training's files are gone, but not its code.
    const parent = ledger.experiments.get(study.id, n)?.parentCommit ?? run.commit;
    emit({ type: 'experiment_started', n, parent });
    await workbench.checkout(run.commit);
  }
  emit({ type: 'awaiting_number', n, k: run.k, until: awaitedUntil(study, run) });
  const came = await awaitNumber(study, run, context, {
    isDisturbed: () => hasWish() || signal.aborted || now() >= deadline,
    rest: ms => rest(Math.min(ms, deadline - now())),
  });
  if (!came) return { type: 'disturbed', unfinished: { n, at: 'number', isResumed: false } };
  const { crash } = came;
  if (crash) ledger.write(() => ledger.runs.setCrash(study.id, run, crash));
  const measured = {
    ...{ n, k: run.k, ...came, early: null, hints: [] },
    parent: ledger.experiments.parentOf(study.id, n),
    memory: measure(run.summary, study.contract.metric).memory,
    unfair: unfairKinds(run),
    sourceLinesDelta: compareLines(ledger, study.id, workbench.sourceLines()),
  };
  return { type: 'numbered', run: measured };
}
