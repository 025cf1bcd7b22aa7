import { PawlError, unreachable } from '../../shared/errors.ts';
import { describeGuard } from '../../shared/guard.ts';
import { isByHand } from '../../shared/ideas.ts';
import { describePrune } from '../../shared/prune.ts';
import type { Decision } from '../../shared/review.ts';
import type { StopReason, Study, Verdict } from '../../shared/study.ts';
import type { Denial } from '../asked-model/answers.ts';
import { appendResult, writeResultsFile } from '../export/results-file.ts';
import { metricDelta } from '../export/results-tsv.ts';
import { readIdentity } from '../git/repository.ts';
import { stripControl } from '../metrics/line-splitter.ts';
import { measure } from '../metrics/measure.ts';
import type { ProposalRequest, Proposer } from '../proposers/proposer.ts';
import { type AcceptedEdit, Attempts } from '../stages/attempt/attempts.ts';
import { namePaths } from '../stages/edit/workbench.ts';
import { awaitedUntil, awaitNumber, findAwaited } from '../stages/measure/await-number.ts';
import { ProposalSource } from '../stages/propose/proposal-source.ts';
import { cleanProposal } from '../stages/propose/proposal-text.ts';
import { ratchet } from '../stages/record/branch.ts';
import { ReviewDesk } from '../stages/review/review-desk.ts';
import { type Trained, type TrainPorts, trainAttempt } from '../stages/train/train-attempt.ts';
import type { Incumbent } from '../store/experiments.ts';
import { findInterrupted, initialState } from './initial-state.ts';
import { type Effect, type LoopEvent, type LoopState, type Measured, step, type Wish } from './step.ts';
import { findStop, type StopLimits } from './stop-rules.ts';

export type RunnerPorts = TrainPorts & {
  readonly proposer: Proposer;
  /** How long a proposer that needs the user is left alone. */
  readonly askAgainMs?: number | undefined;
  /** False asks for each proposal only when its turn has come. */
  readonly isLookingAhead?: boolean | undefined;
};

const ASK_AGAIN_MS = 15 * 60_000;
/** As often an experiment whose model did not answer is run again: for an hour, with the pauses between. */
const MAX_FAILURES = 4;
export type SittingEnd = { readonly reason: StopReason; readonly detail: string | null };

/**
 * Drives one sitting of a study: performs the effects `step` asks for, one at a time, each written to the ledger
 * before it is done. The ports' signal ends what runs now; its experiment becomes `interrupted`.
 */
export class StudyRunner {
  readonly #study: Study;
  readonly #ports: RunnerPorts;
  #state: LoopState;
  #wakeUp: (() => void) | null = null;
  #identity: Readonly<Record<string, string>> = {};
  /** A finished run that is written together with its verdict, so that neither is there alone. */
  #unsaved: Trained | null = null;
  /** The edit `propose` found good, for `attempt` to commit. */
  #edit: AcceptedEdit | null = null;
  readonly #source: ProposalSource;
  readonly #desk: ReviewDesk;
  readonly #attempts: Attempts;
  /** Why the model that the last run asked did not answer; null where it did, or none was asked. */
  #denial: Denial | null = null;
  /** How often the server failed in an experiment. */
  #failures = { n: -1, count: 0 };
  /** Whether the pause is the proposer's, which is asked again now and then, and not the user's. */
  #isBlocked = false;
  /** Number of the experiment that was announced last. */
  #announced = -1;

  constructor(study: Study, limits: StopLimits, ports: RunnerPorts) {
    this.#study = study;
    this.#ports = ports;
    this.#source = new ProposalSource(study, ports);
    this.#desk = new ReviewDesk(study, ports);
    this.#attempts = new Attempts(study, ports, this.#desk);
    this.#state = initialState(ports.ledger, study, limits, ports.proposer);
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
    this.#isBlocked = false;
    this.#state = { ...this.#state, wish };
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
      const message = 'The study is to pause or to stop; let it go on first, then decide.';
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
    this.#identity = await readIdentity(this.#ports.repository);
    await writeResultsFile(this.#ports.ledger, this.#ports.paths, this.#study);
    let event: LoopEvent = { type: 'started', interrupted: findInterrupted(this.#ports.ledger, this.#study) };
    for (;;) {
      const { state, effect } = step(this.#state, event, this.#ports.now());
      this.#state = state;
      if (effect.type === 'stop') {
        this.#ports.ledger.write(() =>
          this.#ports.ledger.experiments.dropUnproposed(this.#study.id, state.next),
        );
        return { reason: effect.reason, detail: effect.detail };
      }
      try {
        event = await this.#perform(effect);
      } catch (error) {
        const isStop = this.#ports.signal.aborted && (error as Error).name === 'AbortError';
        if (!isStop || effect.type === 'record') throw error;
        this.#interrupt(effect);
        return { reason: 'user', detail: null };
      }
      const denial =
        (event.type === 'measured' || event.type === 'awaiting') && !this.#wasAborted()
          ? this.#takeDenial(event.n)
          : null;
      if (denial) {
        const told = await this.#denied(effect, denial);
        if ('reason' in told) return told;
        event = told;
        continue;
      }
      // A run that was measured before the stop came is judged; nothing of it is lost.
      const isMeasured = event.type === 'measured' || event.type === 'awaiting' || event.type === 'numbered';
      const isFinished = event.type === 'recorded' || (isMeasured && !this.#wasAborted());
      if (this.#ports.signal.aborted && !isFinished) {
        this.#interrupt(effect);
        return { reason: 'user', detail: null };
      }
    }
  }

  /**
   * Why the run that has just ended is not to be judged. Null where it is: it was answered, or the server failed so often in this
   * experiment that what it asks is the more likely cause.
   */
  #takeDenial(n: number): Denial | null {
    const denial = this.#denial;
    this.#denial = null;
    if (denial?.kind !== 'failed') return denial;
    this.#failures = { n, count: this.#failures.n === n ? this.#failures.count + 1 : 1 };
    return this.#failures.count > MAX_FAILURES ? null : denial;
  }

  /**
   * A run that was left without an answer says nothing of its code: it is run again, on resume where the cap is reached, and
   * after a pause where the server did not answer. What was answered is kept and not paid for again.
   */
  async #denied(effect: Effect, { kind, message }: Denial): Promise<SittingEnd | LoopEvent> {
    if (kind === 'spent') {
      this.#interrupt(effect, `${message} It will be run again on resume.`);
      return { reason: 'spend', detail: message };
    }
    this.#interrupt(effect, `${message} It will be run again.`);
    const warning = `The model that the training asks did not answer. ${message}`;
    this.#ports.emit({ type: 'warning', code: 'model_blocked', message: warning });
    if (!this.hasWish()) {
      this.wish('pause');
      this.#isBlocked = true;
      await this.#wait();
    }
    return { type: 'started', interrupted: findInterrupted(this.#ports.ledger, this.#study) };
  }

  #wasAborted(): boolean {
    return this.#unsaved?.result.outcome.kind === 'aborted';
  }

  #perform(effect: Exclude<Effect, { type: 'stop' }>): Promise<LoopEvent> {
    // Nothing waits for the user while something else is done.
    if (effect.type !== 'review' && effect.type !== 'propose') this.#desk.dismiss();
    switch (effect.type) {
      case 'take_baseline':
        return this.#takeBaseline();
      case 'propose':
        return this.#propose(effect.n, effect.repair);
      case 'attempt':
        return this.#attempt(effect.n);
      case 'review':
        return this.#attempts.review(effect.n, effect.repair, {
          deadline: this.#state.limits.deadline,
          wish: () => this.#state.wish,
          identity: this.#identity,
        });
      case 'train':
        return this.#train(effect.n);
      case 'await_number':
        return this.#awaitNumber(effect.n);
      case 'record':
        return this.#record(effect.n, effect.verdict);
      case 'wait':
        return this.#wait();
      default:
        return unreachable(effect);
    }
  }

  async #takeBaseline(): Promise<LoopEvent> {
    if (findAwaited(this.#ports.ledger, this.#study, 0)) return { type: 'awaiting', n: 0, unfair: [] };
    const { ledger, workbench, now, emit } = this.#ports;
    const { id, baseCommit } = this.#study;
    ledger.write(() => {
      ledger.experiments.begin(id, 0, baseCommit, now());
      ledger.experiments.propose(id, 0, {
        hypothesis: 'Baseline: the code as it is',
        rationale: null,
        predictedEffect: null,
        category: 'baseline',
        memo: null,
      });
    });
    this.#announceStart(0, baseCommit);
    await workbench.checkout(baseCommit);
    const made = { commit: baseCommit, editDigest: workbench.digest(), sourceLines: workbench.sourceLines() };
    ledger.write(() => ledger.experiments.attempt(id, 0, made));
    await this.#attempts.createRef(0, baseCommit);
    emit({ type: 'attempted', n: 0, commit: baseCommit, files: [] });
    return { type: 'attempted', n: 0 };
  }

  async #propose(n: number, repair: Measured | null): Promise<LoopEvent> {
    const { ledger, workbench, now, emit } = this.#ports;
    const { id } = this.#study;
    if (!repair && findAwaited(ledger, this.#study, n)) return { type: 'awaiting', n, unfair: [] };
    const incumbent = this.#incumbent();
    const waiting = ledger.reviews.open(id, n);
    const before = repair && ledger.experiments.get(id, n);
    if (repair) {
      // The crashed run is history now, whatever comes of the repair.
      ledger.write(() => {
        this.#saveRun();
        ledger.experiments.setPhase(id, n, 'proposing');
      });
      this.#announceRun();
      emit({ type: 'phase', n, phase: 'proposing' });
    } else {
      if (!waiting) ledger.write(() => ledger.experiments.begin(id, n, incumbent.commit, now()));
      this.#announceStart(n, incumbent.commit);
    }
    if (waiting) {
      const mended = waiting.isRepair ? (repair ?? this.#lastMeasured(n)) : null;
      return { type: 'submitted', n, repair: mended };
    }
    const start = before?.attemptCommit ?? incumbent.commit;
    const reset = async () => {
      await workbench.checkout(start);
      workbench.markDirty();
    };
    await reset();
    const answer = await this.#source.ask(n, incumbent, this.#repairOf(n, repair), reset);
    // Where the user wants a pause or a stop it is theirs, whatever the proposer says.
    if (answer.kind === 'blocked' && !this.hasWish()) {
      const message = `The proposer needs you. ${answer.message}`;
      emit({ type: 'warning', code: 'proposer_blocked', message });
      this.#isBlocked = !repair;
    }
    if (answer.kind === 'exhausted' || answer.kind === 'blocked' || answer.kind === 'spent') {
      const { kind: type, message } = answer;
      return repair ? { ...repair, type: 'repair_failed' } : { type, message };
    }
    const refuse = (reason: string, message: string): LoopEvent => {
      const said = stripControl(message);
      const { memo } = answer.kind === 'failed' ? answer : answer.proposal;
      const hypothesis = answer.kind === 'proposed' ? cleanProposal(answer.proposal).hypothesis : null;
      this.#attempts.refuse({ n, reason, message: said, hypothesis, memo });
      // What came from the queue says nothing of the proposer.
      const author = answer.kind === 'proposed' ? ledger.proposerCalls.author(id, n) : null;
      if (!repair && isByHand(author)) {
        return { type: 'turned_down', how: 'rejected', n, repair };
      }
      return repair ? { ...repair, type: 'repair_failed' } : { type: 'refused', message: said };
    };
    if (answer.kind === 'failed') return refuse('proposer_failed', answer.message);
    const proposal = cleanProposal(answer.proposal);
    const edit = await workbench.readEdit();
    if (edit.kind === 'refused') return refuse(edit.reason, edit.message);
    const same = ledger.experiments.findSameEdit(id, edit.digest, n);
    if (same !== null) {
      return refuse('duplicate', `The same files were already tried in experiment ${same}.`);
    }
    this.#edit = { ...edit, proposal, start, repairOf: repair };
    // The mended hypothesis belongs to the mended attempt; until that is made the ledger keeps the crashed one's.
    if (!repair) ledger.write(() => ledger.experiments.propose(id, n, proposal));
    emit({
      type: 'proposed',
      n,
      hypothesis: proposal.hypothesis,
      rationale: proposal.rationale,
      predictedEffect: proposal.predictedEffect,
      category: proposal.category,
    });
    return { type: 'proposed', n };
  }

  /** The crash that a mend which waits is of; a pause or another engine may have come since. */
  #lastMeasured(n: number): Measured | null {
    const run = this.#ports.ledger.runs.list(this.#study.id, n).at(-1);
    if (!run?.crash) return null;
    return {
      n,
      k: run.k,
      crash: run.crash,
      value: null,
      memory: null,
      sourceLinesDelta: 0,
      unfair: [],
      pruned: null,
      ...{ guard: null, source: null },
    };
  }

  /** What a crashed attempt is handed back with. */
  #repairOf(n: number, measured: Measured | null): ProposalRequest['repair'] {
    if (!measured?.crash) return null;
    const { proposal } = this.#ports.ledger.experiments.get(this.#study.id, n) ?? {};
    return {
      crash: measured.crash,
      hypothesis: proposal?.hypothesis ?? '',
      count: this.#state.repairs,
    };
  }

  /** Whether there will be a next proposal, as far as can be told before `n` is measured. */
  #willGoOn(n: number): boolean {
    const { now, isLookingAhead = true } = this.#ports;
    const { metric, limits, facts, wish } = this.#state;
    if (!isLookingAhead || n === 0 || wish !== 'go') return false;
    return findStop(limits, { ...facts, experiments: facts.experiments + 1 }, metric.goal, now()) === null;
  }

  #attempt(n: number): Promise<LoopEvent> {
    if (!this.#edit) throw new Error(`experiment ${n} has no edit to commit`);
    return this.#attempts.make(n, this.#edit, this.#incumbent().commit, this.#identity);
  }

  async #train(n: number): Promise<LoopEvent> {
    const { ledger, workbench } = this.#ports;
    const { id } = this.#study;
    const experiment = ledger.experiments.get(id, n);
    if (!experiment?.attemptCommit) throw new Error(`experiment ${n} has no attempt to train`);
    if (this.#announced !== n) {
      // Resumed: the engine may have died before it made the ref.
      await this.#attempts.createRef(n, experiment.attemptCommit);
      this.#announceStart(n, experiment.parentCommit ?? experiment.attemptCommit);
    }
    if (this.#unsaved) this.#saveUnfair(n, this.#unsaved);
    await workbench.checkout(experiment.attemptCommit);
    if (this.#willGoOn(n)) await this.#source.lookAhead(n, this.#incumbent());
    const { attemptCommit } = experiment;
    const train = () => trainAttempt(this.#study, n, attemptCommit, this.#ports);
    const { value: trained, denial } = (await this.#ports.model?.during(n, train)) ?? {
      value: await train(),
      denial: null,
    };
    this.#denial = denial;
    this.#rememberOutputs();
    this.#unsaved = trained;
    const unfair = trained.result.fairness.flags.flatMap(({ isUnfair, kind }) => (isUnfair ? [kind] : []));
    const { metric, memory } = trained;
    const { crash, outcome } = trained.result;
    const isLate = this.#study.contract.metric.waitSeconds !== null && outcome.kind !== 'aborted';
    if (isLate && !crash && !trained.pruned && !trained.guard) return { type: 'awaiting', n, unfair };
    const incumbentLines = ledger.experiments.incumbent(id)?.sourceLines ?? workbench.sourceLines();
    return {
      type: 'measured',
      n,
      k: trained.k,
      crash: trained.result.crash,
      value: metric,
      memory,
      sourceLinesDelta: workbench.sourceLines() - incumbentLines,
      ...{ unfair, pruned: trained.pruned, guard: trained.guard, source: null },
    };
  }

  /** Waits until the number of a run that ended is there, however long; a wish or the deadline end the wait, and it goes on later. */
  async #awaitNumber(n: number): Promise<LoopEvent> {
    const { ledger, workbench, now, emit, signal } = this.#ports;
    const { id, contract } = this.#study;
    ledger.write(() => this.#saveRun());
    this.#announceRun();
    const run = findAwaited(ledger, this.#study, n);
    if (!run) throw new Error(`experiment ${n} has no run whose number is to come`);
    if (this.#announced !== n) {
      // Resumed: what the training left is gone, its code is not.
      this.#announceStart(n, ledger.experiments.get(id, n)?.parentCommit ?? run.commit);
      await workbench.checkout(run.commit);
    }
    emit({ type: 'awaiting_number', n, k: run.k, until: awaitedUntil(this.#study, run) });
    const came = await awaitNumber(this.#study, run, this.#ports, {
      isDisturbed: () => this.#state.wish !== 'go' || signal.aborted || now() >= this.#deadline(),
      rest: ms => this.#rest(Math.min(ms, this.#deadline() - now())),
    });
    if (!came) return { type: 'disturbed' };
    const { crash } = came;
    if (crash) ledger.write(() => ledger.runs.setCrash(id, run, crash));
    const incumbentLines = ledger.experiments.incumbent(id)?.sourceLines ?? workbench.sourceLines();
    return {
      ...{ type: 'numbered', n, k: run.k, ...came, pruned: null },
      memory: measure(run.summary, contract.metric).memory,
      unfair: run.fairness?.flags.flatMap(({ isUnfair, kind }) => (isUnfair ? [kind] : [])) ?? [],
      sourceLinesDelta: workbench.sourceLines() - incumbentLines,
    };
  }

  #deadline(): number {
    return this.#state.limits.deadline ?? Number.POSITIVE_INFINITY;
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

  /** What the baseline writes is known before its end is, so that no attempt is ever judged without it. */
  #rememberOutputs(): void {
    const { ledger, workbench, emit } = this.#ports;
    const { id } = this.#study;
    const outputs = workbench.outputs();
    const known = ledger.studies.get(id)?.outputs ?? [];
    const fresh = outputs.filter(path => !known.includes(path));
    if (fresh.length === 0) return;
    ledger.write(() => ledger.studies.setOutputs(id, outputs));
    const message = `The baseline writes tracked files: ${namePaths(fresh)}. They count as outputs, which attempts may write and each run finds restored. Where the number is measured from one of them, list what is locked under contract.locked in pawl.toml.`;
    emit({ type: 'warning', code: 'outputs', message });
  }

  /** A run that is not to decide is history before the next one begins. */
  #saveUnfair(n: number, { k, result }: Trained): void {
    const { ledger, emit } = this.#ports;
    ledger.write(() => this.#saveRun());
    this.#announceRun();
    const flags = result.fairness.flags.filter(({ isUnfair }) => isUnfair);
    emit({ type: 'run_unfair', n, k, flags: flags.map(({ kind, detail }) => ({ kind, detail })) });
  }

  async #record(n: number, verdict: Verdict): Promise<LoopEvent> {
    const { ledger, repository, emit, now } = this.#ports;
    const { id, baseCommit } = this.#study;
    const before = ledger.experiments.incumbent(id);
    ledger.write(() => {
      this.#saveRun();
      ledger.experiments.decide(id, n, verdict, now());
    });
    this.#announceRun();
    emit({ type: 'phase', n, phase: 'deciding' });
    const experiment = ledger.experiments.get(id, n);
    if (!experiment) throw new Error(`experiment ${n} is not in the ledger`);
    const crash = ledger.runs.list(id, n)[verdict.evidence.run]?.crash ?? null;
    const { pruned, guard } = verdict.evidence;
    if (verdict.word === 'keep' && experiment.attemptCommit) {
      await ratchet(
        ledger,
        repository,
        this.#study,
        n,
        before?.commit ?? baseCommit,
        experiment.attemptCommit,
        this.#ports.workbench.path,
      );
    }
    await appendResult(ledger, this.#ports.paths, this.#study, n);
    emit({
      type: 'verdict',
      n,
      verdict: verdict.word,
      reason: verdict.reason,
      metric: experiment.metric,
      delta: metricDelta(experiment),
      memory: experiment.memory,
      message: crash?.message ?? (pruned ? describePrune(pruned) : guard ? describeGuard(guard) : null),
      seconds: experiment.trainedSeconds,
      hypothesis: experiment.proposal?.hypothesis ?? '',
      commit: experiment.attemptCommit,
    });
    if (verdict.word === 'keep' && experiment.metric !== null && experiment.attemptCommit) {
      const { attemptCommit: commit, metric } = experiment;
      emit({ type: 'new_best', n, commit, metric, previous: before?.metric ?? null });
    }
    return { type: 'recorded', n, verdict };
  }

  async #wait(): Promise<LoopEvent> {
    const { ledger, emit } = this.#ports;
    const { id } = this.#study;
    ledger.write(() => ledger.studies.setState(id, 'paused', null, null));
    emit({ type: 'study_paused' });
    while (this.#state.wish === 'pause') {
      const again = this.#isBlocked ? setTimeout(() => this.goOn(), this.#untilAskedAgain()) : undefined;
      await new Promise<void>(resolve => {
        this.#wakeUp = resolve;
      });
      clearTimeout(again);
    }
    ledger.write(() => ledger.studies.setState(id, 'running', null, null));
    emit({ type: 'study_continued' });
    return { type: 'wished', wish: this.#state.wish };
  }

  /** Nobody may be there to say go on, and what was wrong may have passed; a deadline ends the wait. */
  #untilAskedAgain(): number {
    const { deadline } = this.#state.limits;
    const { now, askAgainMs = ASK_AGAIN_MS } = this.#ports;
    return deadline === undefined ? askAgainMs : Math.max(0, Math.min(askAgainMs, deadline - now()));
  }

  #announceStart(n: number, parent: string): void {
    if (this.#announced === n) return;
    this.#announced = n;
    this.#ports.emit({ type: 'experiment_started', n, parent });
  }

  #saveRun(): void {
    if (this.#unsaved) {
      this.#ports.ledger.runs.finish(this.#unsaved.run, this.#unsaved.result, this.#unsaved.endedAt);
    }
  }

  /** Call it when what `#saveRun` wrote is on disk. */
  #announceRun(): void {
    if (this.#unsaved) this.#ports.emit(this.#unsaved.finished);
    this.#unsaved = null;
  }

  #interrupt(effect: Effect, why = 'Stopped by the user; it will be run again on resume.'): void {
    const { ledger, emit, now } = this.#ports;
    const { id } = this.#study;
    // What waits for the user waits on.
    if (effect.type === 'review' || effect.type === 'await_number') return;
    if (effect.type === 'wait') {
      ledger.write(() => ledger.experiments.dropUnproposed(id, this.#state.next));
      return;
    }
    const n = 'n' in effect ? effect.n : 0;
    ledger.write(() => {
      this.#saveRun();
      for (const { run } of ledger.runs.open()) ledger.runs.interrupt(run, now());
      ledger.experiments.setPhase(id, n, 'interrupted');
      ledger.experiments.dropUnproposed(id, n);
    });
    this.#announceRun();
    emit({ type: 'interrupted', n, message: why });
  }

  #incumbent(): Incumbent {
    const incumbent = this.#ports.ledger.experiments.incumbent(this.#study.id);
    if (!incumbent) throw new Error('there is no incumbent before the baseline');
    return incumbent;
  }
}
