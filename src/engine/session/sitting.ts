import { PawlError, unreachable } from '../../shared/errors.ts';
import type { Decision } from '../../shared/review.ts';
import type { StopReason, Study } from '../../shared/study.ts';
import { writeResultsFile } from '../export/results-file.ts';
import { readIdentity } from '../git/repository.ts';
import type { Proposer } from '../proposers/proposer.ts';
import { makeAttempt, takeBaseline } from '../stages/attempt/attempt.ts';
import { takeLateNumber } from '../stages/measure/late-number.ts';
import { ProposalSource } from '../stages/propose/proposal-source.ts';
import { propose } from '../stages/propose/propose.ts';
import { endRun } from '../stages/record/end-run.ts';
import { record } from '../stages/record/record.ts';
import { recordRepeat } from '../stages/repeat/record-repeat.ts';
import { repeat } from '../stages/repeat/repeat.ts';
import { takeBack } from '../stages/repeat/take-back.ts';
import { review } from '../stages/review/review.ts';
import { ReviewDesk } from '../stages/review/review-desk.ts';
import type { StageContext } from '../stages/stage-context.ts';
import { train } from '../stages/train/train.ts';
import type { TrainPorts } from '../stages/train/train-attempt.ts';
import { initialState, type SittingKind, USUAL_SITTING } from './initial-state.ts';
import type { Effect, LoopEvent, LoopState, SetAsideReason, Wish } from './loop-state.ts';
import { step, willGoOn } from './step.ts';
import type { StopLimits } from './stop-rules.ts';

export type SittingPorts = TrainPorts & {
  readonly proposer: Proposer;
  /** How long a proposer that needs the user is left alone. */
  readonly askAgainMs?: number | undefined;
  /** False asks for each proposal only when its turn has come. */
  readonly isLookingAhead?: boolean | undefined;
};

const ASK_AGAIN_MS = 15 * 60_000;

export type SittingEnd = { readonly reason: StopReason; readonly detail: string | null };

/**
 * Drives one sitting of a study: performs the effects `step` asks for, one at a time, each written to the ledger
 * before it is done. The ports' signal ends what runs now; its experiment becomes `interrupted`.
 */
export class Sitting {
  readonly #study: Study;
  readonly #ports: SittingPorts;
  readonly #source: ProposalSource;
  readonly #desk: ReviewDesk;
  #state: LoopState;
  #wakeUp: (() => void) | null = null;
  /** Number of the experiment that was announced last. */
  #announced = -1;

  constructor(study: Study, limits: StopLimits, ports: SittingPorts, kind: SittingKind = USUAL_SITTING) {
    this.#study = study;
    this.#ports = ports;
    this.#source = new ProposalSource(study, ports);
    this.#desk = new ReviewDesk(study, ports);
    this.#state = initialState(ports.ledger, study, limits, ports.proposer, kind);
    ports.signal.addEventListener('abort', () => this.#take('stop'), { once: true });
  }

  /** Id of the study. */
  get study(): string {
    return this.#study.id;
  }

  /** Takes effect between two experiments. */
  wish(wish: Wish): void {
    if (this.#state.wish !== wish) this.#ports.emit({ type: 'wished', wish: wish === 'go' ? null : wish });
    this.#take(wish);
  }

  #take(wish: Wish): void {
    this.#state = { ...this.#state, wish, isBlocked: false };
    this.#wakeUp?.();
    this.#desk.wake();
  }

  /** Whether the user wants something else than going on. */
  hasWish(): boolean {
    return this.#state.wish !== 'go';
  }

  /** Ends a pause; a wish to stop stays. */
  goOn(): void {
    if (this.#state.wish === 'pause') this.wish('go');
  }

  /** What the user decides about the proposal that waits; see {@link ReviewDesk.decide}. */
  decide(review: number, decision: Decision): Promise<void> {
    if (this.hasWish()) {
      const message = 'The study is about to pause or stop; let it continue first, then decide.';
      return Promise.reject(new PawlError('usage', message));
    }
    return this.#desk.decide(review, decision);
  }

  /** Approve mode was switched on or off. */
  approvalChanged(): void {
    this.#desk.wake();
  }

  async run(): Promise<SittingEnd> {
    try {
      return await this.#loop();
    } finally {
      this.#desk.dismiss();
      await this.#source.stop();
    }
  }

  async #loop(): Promise<SittingEnd> {
    const { ledger, paths, repository, now } = this.#ports;
    const context: StageContext = {
      ...this.#ports,
      ...{ study: this.#study, source: this.#source, desk: this.#desk },
      identity: await readIdentity(repository),
      emit: event => {
        // Asked for again, trained again: it has begun once.
        if (event.type === 'experiment_started') {
          if (event.n === this.#announced) return;
          this.#announced = event.n;
        }
        this.#ports.emit(event);
      },
    };
    await writeResultsFile(ledger, paths, this.#study);
    let event: LoopEvent = { type: 'started' };
    for (;;) {
      const { state, effect } = step(this.#state, event, now());
      this.#state = state;
      if (effect.type === 'stop') {
        ledger.write(() => ledger.experiments.dropUnproposed(this.#study.id, state.next));
        return { reason: effect.reason, detail: effect.detail };
      }
      event = await this.#performUnlessStopped(effect, context);
    }
  }

  /** What came of an effect; where the user has stopped it, that. */
  async #performUnlessStopped(effect: PerformedEffect, context: StageContext): Promise<LoopEvent> {
    const { signal } = this.#ports;
    let event: LoopEvent;
    try {
      event = await this.#perform(effect, context);
    } catch (error) {
      const isStop = signal.aborted && (error as Error).name === 'AbortError';
      if (!isStop || WRITES.includes(effect.type)) throw error;
      return aborted(effect);
    }
    return signal.aborted && !isResult(event) ? aborted(effect) : event;
  }

  #perform(effect: PerformedEffect, context: StageContext): Promise<LoopEvent> {
    // Nothing waits for the user while something else is done.
    if (effect.type !== 'review' && effect.type !== 'propose') this.#desk.dismiss();
    const { isLookingAhead = true, now } = this.#ports;
    const { limits } = this.#state;
    const hasWish = () => this.hasWish();
    const sitting = { deadline: limits.deadline ?? Number.POSITIVE_INFINITY, hasWish };
    switch (effect.type) {
      case 'take_baseline':
        return takeBaseline(context);
      case 'propose':
        return propose(context, effect.n, effect.repair, hasWish);
      case 'attempt':
        return makeAttempt(context, effect.n, effect.edit);
      case 'review':
        return review(context, effect.n, effect.repair, sitting);
      case 'train': {
        const mayLookAhead = isLookingAhead && willGoOn(this.#state, effect.n, now());
        return train(context, { ...effect, mayLookAhead });
      }
      case 'await_number':
        return takeLateNumber(context, effect, { ...sitting, rest: ms => this.#rest(ms) });
      case 'record':
        return record(context, effect.n, effect.verdict, effect.ended);
      case 'repeat':
        return repeat(context, effect.n, effect.purpose, effect.before, this.#state.held);
      case 'record_repeat':
        return recordRepeat(context, effect);
      case 'take_back':
        return takeBack(context, effect.back);
      case 'set_aside':
        return Promise.resolve(this.#setAside(context, effect));
      case 'wait':
        return this.#wait();
      default:
        return unreachable(effect);
    }
  }

  /** Until somebody wishes something, or the time is over. */
  async #rest(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>(resolve => {
      this.#wakeUp = resolve;
      timer = setTimeout(resolve, Math.max(1, ms));
    });
    clearTimeout(timer);
  }

  async #wait(): Promise<LoopEvent> {
    this.#setState('paused', 'study_paused');
    while (this.#state.wish === 'pause') {
      const again = this.#state.isBlocked
        ? setTimeout(() => this.goOn(), this.#untilAskedAgain())
        : undefined;
      await new Promise<void>(resolve => {
        this.#wakeUp = resolve;
      });
      clearTimeout(again);
    }
    this.#setState('running', 'study_continued');
    return { type: 'wished', wish: this.#state.wish };
  }

  #setState(state: 'paused' | 'running', type: 'study_paused' | 'study_continued'): void {
    const { ledger, enter } = this.#ports;
    enter(() => {
      ledger.studies.setState(this.#study.id, state, null, null);
      return [{ type }];
    });
  }

  /** Nobody may be there to say go on, and what was wrong may have passed; a deadline ends the wait. */
  #untilAskedAgain(): number {
    const { deadline } = this.#state.limits;
    const { now, askAgainMs = ASK_AGAIN_MS } = this.#ports;
    return deadline === undefined ? askAgainMs : Math.max(0, Math.min(askAgainMs, deadline - now()));
  }

  /** Leaves an experiment to be gone on with later: its runs have ended, and what was not yet proposed has not begun. */
  #setAside(context: StageContext, { n, ended, reason }: Extract<Effect, { type: 'set_aside' }>): LoopEvent {
    const { now } = context;
    const { id } = this.#study;
    endRun(context, ended, ledger => {
      for (const { run } of ledger.runs.open()) ledger.runs.interrupt(run, now());
      ledger.experiments.setPhase(id, n, 'interrupted');
      ledger.experiments.dropUnproposed(id, n);
      const interrupted = { type: 'interrupted', n, message: describeSetAside(reason) } as const;
      if (reason.kind !== 'unanswered') return [interrupted];
      const message = `The model that the training asks did not answer. ${reason.message}`;
      return [interrupted, { type: 'warning', code: 'model_blocked', message }];
    });
    return { type: 'set_aside', reason };
  }
}

/** What is finished although the user stops the study. */
const WRITES: readonly Effect['type'][] = ['record', 'record_repeat', 'take_back'];

type PerformedEffect = Exclude<Effect, { type: 'stop' }>;

/** A run that was measured before the stop came is judged; nothing of it is lost. */
function isResult({ type }: LoopEvent): boolean {
  const results = [
    'measured',
    'awaiting',
    'numbered',
    'recorded',
    'repeated',
    'repeat_recorded',
    'taken_back',
  ];
  return [...results, 'aborted', 'set_aside'].includes(type);
}

function aborted(effect: PerformedEffect): LoopEvent {
  // What waits for the user, or for its number, waits on; what was trained again has its verdict.
  const waits = ['review', 'await_number', 'wait', 'repeat', 'take_back'].includes(effect.type);
  const n = effect.type === 'take_baseline' ? 0 : waits || !('n' in effect) ? null : effect.n;
  return { type: 'aborted', n, ended: null };
}

function describeSetAside(reason: SetAsideReason): string {
  switch (reason.kind) {
    case 'stopped':
      return 'Stopped by the user; it will be run again on resume.';
    case 'unanswered':
      return `${reason.message} It will be run again.`;
    case 'spent':
      return `${reason.message} It will be run again on resume.`;
    default:
      return unreachable(reason);
  }
}
