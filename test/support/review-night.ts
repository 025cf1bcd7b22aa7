import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NotebookEvent, StudyCard } from '../../src/shared/notebook.ts';
import type { Decision, ReviewView } from '../../src/shared/review.ts';
import { git, temporaryFolder } from './scaffold.ts';
import { type Desk, openDesk, untilStopped } from './service.ts';
import { checkNight, type Night, prepareNight, TAG } from './study.ts';

export type ReviewNight = Night & {
  readonly study: string;
  readonly desk: Desk;
  /** The requests that the proposer got, in order. */
  asked(): Promise<readonly Record<string, unknown>[]>;
  /** The waiting proposal, once there is one. */
  waiting(): Promise<ReviewView>;
  decide(decision: Decision): Promise<void>;
  /** Performs the action, and waits until a proposal waits again. */
  untilNext(act: () => Promise<unknown>): Promise<void>;
  /** `train.sh` as the waiting proposal changes it, with this value in place of the rate 3 that it set. */
  withRate(rate: number): Promise<string>;
  untilStopped(): Promise<StudyCard>;
  /** What experiment 1 tried. */
  tried(): Promise<string>;
  /** Closes the desk, then checks the invariants. */
  end(): Promise<void>;
};

export const APPROVE: Decision = { kind: 'approve', files: {} };

export const isCard = (accepts: (card: StudyCard) => boolean) => (event: NotebookEvent) =>
  event.type === 'study' && accepts(event.card);
export const isReviewing = isCard(
  ({ state, current }) => state === 'running' && current?.phase === 'reviewing',
);

/** A study in approve mode whose proposer sets LR to 3, 4, 5, one more at each call. */
export async function reviewNight(
  options: { experiments?: number; trainer?: string } = {},
): Promise<ReviewNight> {
  const night = await prepareNight(options.trainer === undefined ? {} : { trainer: options.trainer });
  const asked = join(await temporaryFolder(), 'asked');
  const command = `cat >> ${asked}; echo >> ${asked}; n=$(($(wc -l < ${asked}) + 2))
    sed -i "s/^LR=.*/LR=$n/" train.sh; echo "{\\"hypothesis\\": \\"Set LR to $n\\"}"`;
  const desk = await openDesk({ home: night.home });
  const card = await desk.calls.studies.start({
    ...{ path: night.repository, tag: TAG, asksApproval: true },
    proposer: { kind: 'command', command, timeoutSeconds: 60 },
    stop: { experiments: options.experiments ?? 1 },
  });
  const study = card.id;
  const waiting = async () => {
    const event = await desk.waitFor(isReviewing);
    const current = desk.service.card(study).current ?? (event as { card: StudyCard }).card.current;
    const review = await desk.calls.studies.review({ study, n: current?.n ?? 0 });
    if (!review) throw new Error('no proposal waits');
    return review;
  };
  return {
    ...{ ...night, study, desk, waiting },
    async asked() {
      const lines = (await readFile(asked, 'utf8')).trim().split('\n');
      return lines.map(line => JSON.parse(line));
    },
    async decide(decision) {
      const review = await waiting();
      await desk.calls.studies.decide({ study, review: review.id, decision });
    },
    async untilNext(act) {
      const again = desk.waitForNext(isReviewing);
      await act();
      await again;
    },
    withRate: async rate => (await waiting()).files[0]?.text.replace('LR=3', `LR=${rate}`) ?? '',
    untilStopped: () => untilStopped(desk, study),
    tried: () => git(night.repository, 'show', `refs/pawl/${TAG}/1:train.sh`),
    async end() {
      await desk.close();
      await checkNight(night);
    },
  };
}
