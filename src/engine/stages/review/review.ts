import { stripControl } from '../../metrics/line-splitter.ts';
import { watchDeadline } from '../../watch-deadline.ts';
import { type Attempted, acceptAttempt } from '../attempt/attempt.ts';
import { findEditHints } from '../judge/edit-hints.ts';
import type { CrashedRun } from '../measure/measured.ts';
import type { TurnedDown } from '../propose/propose.ts';
import { refuse } from '../propose/refuse.ts';
import type { StageContext } from '../stage-context.ts';
import type { Disturbed, Sitting } from '../unfinished.ts';

/**
 * Waits for the user's decision on a proposal; a request to pause or stop, the deadline, or the end of approve mode
 * end the wait too.
 */
export async function review(
  context: StageContext,
  n: number,
  repair: CrashedRun | null,
  { deadline, hasWish }: Sitting,
): Promise<Attempted | TurnedDown | Disturbed> {
  const { ledger, repository, now, emit, signal, study, desk, identity } = context;
  const waiting = await desk.take(n);
  ledger.write(() => ledger.experiments.setPhase(study.id, n, 'reviewing'));
  emit({ type: 'experiment_started', n, parent: waiting.parent });
  const unwatch = watchDeadline(deadline, now, () => desk.wake());
  const isDisturbed = () => hasWish() || signal.aborted || now() >= deadline;
  const end = desk.wait(waiting, isDisturbed, identity);
  const hints = await findEditHints(repository, waiting.parent, waiting.commit, study.contract);
  emit({ type: 'review_opened', n, hypothesis: waiting.proposal.hypothesis, hints: [...hints] });
  const reviewed = await end.finally(unwatch);
  if (reviewed.kind === 'disturbed') {
    signal.throwIfAborted();
    return { type: 'disturbed', unfinished: { n, at: 'review', repair } };
  }
  const { kind, save, done } = reviewed;
  const { commit, editDigest, sourceLines, proposal } = reviewed.review;
  try {
    if (kind === 'approved') {
      const made = { commit, editDigest, sourceLines };
      const accepted = { n, proposal, made, files: reviewed.files, saveReview: save };
      const attempted = await acceptAttempt(context, accepted);
      done();
      return attempted;
    }
    const { memo, hypothesis } = proposal;
    refuse(context, { n, reason: kind, message: stripControl(reviewed.message), hypothesis, memo }, save);
    done();
    return { type: 'turned_down', how: kind, n, repair };
  } catch (error) {
    done(error);
    throw error;
  }
}
