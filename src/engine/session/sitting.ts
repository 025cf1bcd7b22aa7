import { PawlError, unreachable } from '../../shared/errors.ts';
import type { Decision } from '../../shared/review.ts';
import type { StopReason, Study } from '../../shared/study.ts';
import { writeResultsFile } from '../export/results-file.ts';
import { readIdentity } from '../git/repository.ts';
import type { Proposer } from '../proposers/proposer.ts';
import { makeAttempt, takeBaseline } from '../stages/attempt/attempt.ts';
import { takeLateNumber } from '../stages/measure/late-number.ts';
import type { Measured } from '../stages/measure/measured.ts';
import { ProposalSource } from '../stages/propose/proposal-source.ts';
import { propose } from '../stages/propose/propose.ts';
import { record } from '../stages/record/record.ts';
import { recordRepeat } from '../stages/repeat/record-repeat.ts';
import { repeat } from '../stages/repeat/repeat.ts';
import { takeBack } from '../stages/repeat/take-back.ts';
import { review } from '../stages/review/review.ts';
import { ReviewDesk } from '../stages/review/review-desk.ts';
import type { StageContext } from '../stages/stage-context.ts';
import type { LanePorts } from '../stages/train/surroundings.ts';
import { train } from '../stages/train/train.ts';
import { PutOff } from '../stages/train/train-elsewhere.ts';
import type { TrainPorts } from '../stages/train/train-ports.ts';
import {
  type LaneOfPlace,
  type LanesState,
  openNumbers,
  type PerformedEffect,
  startLanes,
  stepLanes,
  WRITES,
  withMoreLanes,
} from './loop/lanes.ts';
import type { LoopEvent, Wish } from './loop/loop-state.ts';
import { willGoOn } from './loop/next.ts';
import { findTakeBack } from './loop/probes.ts';
import type { StopLimits } from './loop/stop-rules.ts';
import { initialState, type SittingKind, USUAL_SITTING } from './start/initial-state.ts';
import { aborted, afterFullDisk, isRefusal, isResult, putOff, setAside } from './stopped-effects.ts';
import { WaitingRuns } from './waiting-runs.ts';

export type SittingPorts = Omit<TrainPorts, keyof LanePorts> & {
  /** Opens a lane at its first use, when what a baseline has shown about its worktree is known. */
  readonly lanes: readonly (() => LanePorts)[];
  readonly places: readonly LaneOfPlace[];
  readonly proposer: Proposer;
  /** How long a proposer that needs the user is left alone. */
  readonly askAgainMs?: number | undefined;
  /** With false, each proposal is requested only when its turn has come. */
  readonly isLookingAhead?: boolean | undefined;
};

const ASK_AGAIN_MS = 15 * 60_000;

const ENDED_BEFORE = 'The study stopped before it was run; it will be run on resume.';

export type SittingEnd = { readonly reason: StopReason; readonly detail: string | null };

type Happened = { readonly lane: number | null; readonly event: LoopEvent };

/**
 * Drives one sitting of a study: performs the effects that `step` returns, one at a time in each lane, each recorded
 * in the ledger before it is done. The ports' signal ends what runs now; its experiments become `interrupted`.
 */
export class Sitting {
  readonly #study: Study;
  readonly #ports: SittingPorts;
  readonly #source: ProposalSource;
  /** By lane, once used. */
  readonly #contexts = new Map<number, StageContext>();
  readonly #lanes: (() => LanePorts)[];
  #state: LanesState;
  /** Wakes what waits for a wish of the user, or for another lane. */
  readonly #resting = new Set<() => void>();
  readonly #runs = new WaitingRuns();
  /** Aborted with the error of a lane that failed: the others are ended before the sitting is. */
  readonly #failed = new AbortController();
  /** Why another machine refused to train; the other lanes end before the sitting does. */
  #refusal: PawlError | null = null;
  /** Experiments that went on after a full disk, which each does once. */
  readonly #afterFullDisk = new Set<number>();
  /** Numbers of announced experiments that have no verdict yet. */
  readonly #announced = new Set<number>();
  /** Author and committer of the commits. */
  #identity: StageContext['identity'] = {};

  constructor(study: Study, limits: StopLimits, ports: SittingPorts, kind: SittingKind = USUAL_SITTING) {
    this.#study = study;
    this.#ports = ports;
    this.#lanes = [...ports.lanes];
    const signal = AbortSignal.any([ports.signal, this.#failed.signal]);
    this.#source = new ProposalSource(study, { ...ports, signal });
    const state = initialState(ports.ledger, study, limits, ports.proposer, kind);
    this.#state = startLanes(state, ports.places);
    ports.signal.addEventListener('abort', () => this.#take('stop'), { once: true });
  }

  /** Id of the study. */
  get study(): string {
    return this.#study.id;
  }

  /** Takes effect between two experiments. */
  wish(wish: Wish): void {
    if (this.#state.study.wish !== wish)
      this.#ports.emit({ type: 'wished', wish: wish === 'go' ? null : wish });
    this.#take(wish);
  }

  #take(wish: Wish): void {
    this.#state = { ...this.#state, study: { ...this.#state.study, wish, isBlocked: false } };
    this.#wake();
    this.#askForQuiet();
  }

  /** More lanes, which begin with what comes next. */
  addLanes(lanes: readonly (() => LanePorts)[], places: readonly LaneOfPlace[]): void {
    this.#lanes.push(...lanes);
    this.#state = withMoreLanes(this.#state, places);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#resting) wake();
  }

  /** Whether the user wants something other than continuing. */
  hasWish(): boolean {
    return this.#state.study.wish !== 'go';
  }

  /** Whether the study must pause, end, or go back to an older commit, which needs all lanes to be idle. */
  #wantsQuiet(): boolean {
    const { halted, repeats } = this.#state.study;
    return this.hasWish() || halted !== null || findTakeBack(repeats) !== null;
  }

  /** Ends waits for the user and for other machines, so that all lanes become idle. */
  #askForQuiet(): void {
    this.approvalChanged();
    this.#runs.look();
  }

  /** Ends what is trained of an experiment; says whether something is. */
  stopRun(n: number): boolean {
    const stop = this.#ports.running.get(n);
    stop?.();
    return stop !== undefined;
  }

  /** Ends a pause; a wish to stop stays. */
  goOn(): void {
    if (this.#state.study.wish === 'pause') this.wish('go');
  }

  /** The user's decision about the waiting proposal; see {@link ReviewDesk.decide}. */
  decide(review: number, decision: Decision): Promise<void> {
    if (this.hasWish()) {
      const message = 'The study is about to pause or stop; let it continue first, then decide.';
      return Promise.reject(new PawlError('usage', message));
    }
    const n = this.#ports.ledger.reviews.experimentOf(this.#study.id, review);
    const lane = this.#state.lanes.findIndex(other => (other.n ?? other.unfinished?.n) === n);
    return this.#contextOf(Math.max(0, lane)).desk.decide(review, decision);
  }

  /** Approve mode was switched on or off. */
  approvalChanged(): void {
    for (const { desk } of this.#contexts.values()) desk.wake();
  }

  async run(): Promise<SittingEnd> {
    try {
      return await this.#loop();
    } finally {
      for (const { desk } of this.#contexts.values()) desk.dismiss();
      await this.#source.stop();
    }
  }

  async #loop(): Promise<SittingEnd> {
    const { ledger, paths, repository, now } = this.#ports;
    this.#identity = await readIdentity(repository);
    await writeResultsFile(ledger, paths, this.#study);
    const busy = new Map<number, Promise<Happened>>();
    let happened: Happened = { lane: null, event: { type: 'started' } };
    try {
      for (;;) {
        const { state, effects, idle } = stepLanes(this.#state, happened, now());
        this.#state = state;
        if (this.#wantsQuiet()) this.#askForQuiet();
        if (idle?.type === 'stop') {
          this.#leaveUnfinished();
          if (this.#refusal) throw this.#refusal;
          return { reason: idle.reason, detail: idle.detail };
        }
        if (happened.event.type === 'wished') this.#setState('running', 'study_continued');
        for (const { lane, effect } of effects) busy.set(lane, this.#performIn(lane, effect));
        happened = idle ? { lane: null, event: await this.#wait() } : await this.#next(busy);
        if (happened.lane !== null) busy.delete(happened.lane);
      }
    } catch (error) {
      this.#failed.abort(error);
      this.#wake();
      this.approvalChanged();
      await Promise.allSettled(busy.values());
      throw error;
    }
  }

  /** The next event in any lane, a wish of the user, or another lane. While one lane writes, nothing else is judged. */
  async #next(busy: ReadonlyMap<number, Promise<Happened>>): Promise<Happened> {
    const isWriting = (lane: number) => {
      const effect = this.#state.lanes[lane]?.effect;
      return effect != null && WRITES.includes(effect.type);
    };
    const writing = [...busy].filter(([lane]) => isWriting(lane)).map(([, event]) => event);
    if (writing.length > 0) return Promise.race(writing);
    const wished = Promise.withResolvers<Happened>();
    const wake = () => wished.resolve({ lane: null, event: { type: 'looked' } });
    this.#resting.add(wake);
    return Promise.race([...busy.values(), wished.promise]).finally(() => this.#resting.delete(wake));
  }

  async #performIn(lane: number, effect: PerformedEffect): Promise<Happened> {
    const event = await this.#performUnlessStopped(effect, this.#contextOf(lane));
    if ('n' in effect) this.#ports.running.delete(effect.n);
    return { lane, event };
  }

  #portsOf(lane: number): TrainPorts {
    const open = this.#lanes[lane];
    if (!open) throw new Error(`there is no lane ${lane}`);
    const signal = AbortSignal.any([this.#ports.signal, this.#failed.signal]);
    return { ...this.#ports, ...open(), signal };
  }

  #contextOf(lane: number): StageContext {
    const known = this.#contexts.get(lane);
    if (known) return known;
    const ports = this.#portsOf(lane);
    const context: StageContext = {
      ...ports,
      ...{ study: this.#study, source: this.#source, desk: new ReviewDesk(this.#study, ports) },
      identity: this.#identity,
      emit: event => {
        // Requested again or trained again: it began only once.
        if (event.type === 'experiment_started') {
          if (this.#announced.has(event.n)) return;
          this.#announced.add(event.n);
        }
        ports.emit(event);
      },
    };
    this.#contexts.set(lane, context);
    return context;
  }

  /** Withdraws the start of experiments without a proposal; the others go on in the next sitting. */
  #leaveUnfinished(): void {
    const { ledger } = this.#ports;
    const { id } = this.#study;
    ledger.write(() => {
      for (const n of [this.#state.study.fresh, ...openNumbers(this.#state)])
        ledger.experiments.dropUnproposed(id, n);
      for (const { n, phase } of ledger.experiments.unfinished(id)) {
        // What was handed over to another lane waits as `attempted`.
        const isOpen = phase === 'proposing' || phase === 'attempted';
        if (isOpen) ledger.experiments.leave(id, n, 'put_off', ENDED_BEFORE);
      }
    });
  }

  /** The result of an effect, or of the user's stop. */
  async #performUnlessStopped(effect: PerformedEffect, context: StageContext): Promise<LoopEvent> {
    const { signal } = this.#ports;
    let event: LoopEvent;
    try {
      event = await this.#perform(effect, context);
    } catch (error) {
      if (isRefusal(error, effect, context)) {
        this.#refusal ??= error;
        return { type: 'not_trained', n: effect.type === 'train' ? effect.n : null, message: error.message };
      }
      if (error instanceof PutOff) return putOff(effect, error.message);
      const goesOn = await afterFullDisk(error, effect, context, this.#afterFullDisk);
      if (goesOn) return goesOn;
      const isStop = signal.aborted && (error as Error).name === 'AbortError';
      if (!isStop || WRITES.includes(effect.type)) throw error;
      return aborted(effect);
    }
    return signal.aborted && !isResult(event) ? aborted(effect) : event;
  }

  #perform(effect: PerformedEffect, context: StageContext): Promise<LoopEvent> {
    // Nothing waits for the user during other work.
    if (effect.type !== 'review' && effect.type !== 'propose') context.desk.dismiss();
    const { limits } = this.#state.study;
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
        return review(context, effect.n, effect.repair, { ...sitting, hasWish: () => this.#wantsQuiet() });
      case 'train':
        return this.#train(context, run =>
          train(run, { ...effect, ahead: effect.n === 0 ? [] : this.#ahead() }),
        );
      case 'await_number':
        return takeLateNumber(context, effect, { ...sitting, rest: ms => this.#rest(ms) });
      case 'record':
        this.#announced.delete(effect.n);
        return record(context, effect);
      case 'repeat':
        return this.#train(context, run =>
          repeat(run, { ...effect, held: this.#heldBy(effect), ahead: this.#aheadOf(effect) }),
        );
      case 'record_repeat':
        return recordRepeat(context, effect);
      case 'take_back':
        return takeBack(context, effect.back);
      case 'set_aside':
        return Promise.resolve(setAside(context, effect));
      default:
        return unreachable(effect);
    }
  }

  #train(context: StageContext, begin: (context: StageContext) => Promise<LoopEvent>): Promise<LoopEvent> {
    const { deadline = Number.POSITIVE_INFINITY } = this.#state.study.limits;
    const due = { deadline, now: this.#ports.now, isToMakeWay: () => this.#wantsQuiet() };
    return this.#runs.train(due, putOff => begin({ ...context, putOff }));
  }

  /** Experiments to come whose proposals may be prepared now: one for each lane, as far as the study is to go on. */
  #ahead(): readonly number[] {
    const { isLookingAhead = true, now } = this.#ports;
    const { study, lanes } = this.#state;
    if (!isLookingAhead) return [];
    const inFlight = openNumbers(this.#state).filter(other => other > 0).length;
    return [...lanes.keys()]
      .filter(place => willGoOn(study, inFlight + place, now()))
      .map(place => study.fresh + place);
  }

  /** Other repeats come after an experiment, during which the next proposal was prepared, or at the end. */
  #aheadOf({ purpose }: Extract<PerformedEffect, { type: 'repeat' }>): readonly number[] {
    return purpose === 'baseline' ? this.#ahead() : [];
  }

  /** The run result that waits for a repeat. */
  #heldBy(effect: PerformedEffect): Measured | null {
    return this.#state.lanes.find(lane => lane.effect === effect)?.held ?? null;
  }

  /** Rests until something wakes it, or for `ms`; says whether that time is over. */
  async #rest(ms: number | null): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(false);
    this.#resting.add(wake);
    const timer = ms === null ? undefined : setTimeout(resolve, Math.max(1, ms), true);
    const isOver = await promise;
    clearTimeout(timer);
    this.#resting.delete(wake);
    return isOver;
  }

  async #wait(): Promise<LoopEvent> {
    this.#setState('paused', 'study_paused');
    while (this.#state.study.wish === 'pause') {
      const isOver = await this.#rest(this.#state.study.isBlocked ? this.#untilAskedAgain() : null);
      if (isOver) this.goOn();
    }
    return { type: 'wished', wish: this.#state.study.wish };
  }

  #setState(state: 'paused' | 'running', type: 'study_paused' | 'study_continued'): void {
    const { ledger, enter } = this.#ports;
    enter(() => {
      ledger.studies.setState(this.#study.id, state, null, null);
      return [{ type }];
    });
  }

  /** Nobody may be there to continue, and the problem may have passed; a deadline ends the wait. */
  #untilAskedAgain(): number {
    const { deadline } = this.#state.study.limits;
    const { now, askAgainMs = ASK_AGAIN_MS } = this.#ports;
    return deadline === undefined ? askAgainMs : Math.max(0, Math.min(askAgainMs, deadline - now()));
  }
}
