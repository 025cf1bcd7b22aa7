import type { Contract } from '../../../shared/contract/contract.ts';
import type { RepeatPurpose, StopReason, Verdict } from '../../../shared/study.ts';
import type { Attempted, Submitted } from '../../stages/attempt/attempt.ts';
import type { Numbered } from '../../stages/measure/late-number.ts';
import type { CrashedRun, Measured } from '../../stages/measure/measured.ts';
import type { AcceptedEdit, Proposed, Repair } from '../../stages/propose/propose.ts';
import type { Combination } from '../../stages/record/late-result.ts';
import type { Recorded } from '../../stages/record/record.ts';
import type { RepeatRecorded, RepeatResult } from '../../stages/repeat/record-repeat.ts';
import type { NotProbed, Repeated } from '../../stages/repeat/repeat.ts';
import type { TakenBack, Unfounded } from '../../stages/repeat/take-back.ts';
import type { EndedRun } from '../../stages/train/ended-run.ts';
import type { TrainResult } from '../../stages/train/train.ts';
import type { Disturbed, Unfinished } from '../../stages/unfinished.ts';
import type { Due, Repeats } from './repeats.ts';
import type { Facts, StopLimits } from './stop-rules.ts';

/** The vocabulary of `step`: the loop's state, the events and the effects. */

export type Wish = 'go' | 'pause' | 'stop';

/** The state shared by all lanes of a study. */
export type StudyState = {
  readonly metric: Contract['metric'];
  readonly limits: StopLimits;
  readonly facts: Facts;
  /** Number that the next new experiment gets. */
  readonly fresh: number;
  /** The numbers so far, and the commits to train again. */
  readonly repeats: Repeats;
  /** Experiments of which a lane that screens has a number; see {@link referenceOf}. */
  readonly references: ReadonlySet<string>;
  /** How long the last run took, in milliseconds; null before the first. */
  readonly runMs: number | null;
  /** Why the study ends, once the runs that close it are done. */
  readonly ending: Stop | null;
  /**
   * The number of trainings at which the proposer had nothing while others were under way, whose results may give it
   * something; otherwise null.
   */
  readonly emptyAt: number | null;
  /** Why it ends as soon as nothing runs, regardless of the rules. */
  readonly halted: Stop | null;
  readonly wish: Wish;
  /** Whether a proposer or a server caused the pause, which is retried now and then, and not the user. */
  readonly isBlocked: boolean;
  readonly canRepair: boolean;
  readonly maxRefusals: number;
};

/** An experiment's number on a model of GPU other than the baseline's. */
export function referenceOf(n: number, model: string): string {
  return `${n} on ${model}`;
}

/** The state of one lane. */
export type LaneState = {
  /**
   * The model of its GPU if the baseline trained on another one, otherwise null. Then it starts experiments, but what
   * may be a gain is trained in another lane, as is each repeat that counts.
   */
  readonly screensOn: string | null;
  /** The experiment that it has begun and that has no verdict; null between two. */
  readonly n: number | null;
  /** Work to continue before another experiment begins. */
  readonly unfinished: Unfinished | null;
  /** Refused or failed proposals for this experiment so far. */
  readonly refusals: number;
  readonly repairs: number;
  /** Repeated runs of this experiment because one was not fair. */
  readonly reruns: number;
  /** Runs of this experiment that got no answer from the model they called. */
  readonly unanswered: number;
  /** The run result of an experiment whose verdict waits for probes; null if none waits. */
  readonly held: Measured | null;
};

/** A lane with nothing to do. */
export const FREE_LANE: LaneState = {
  ...{ screensOn: null, n: null, unfinished: null, refusals: 0, repairs: 0, reruns: 0, unanswered: 0 },
  held: null,
};

/** The state of the other lanes. */
type Beside = {
  /** Their current experiments, without the baseline. */
  readonly experiments: number;
  /** Commits that they train again. */
  readonly repeats: readonly Due[];
  /** Whether one of them writes a verdict. */
  readonly isWriting: boolean;
  /** Whether one of them is busy. */
  readonly isBusy: boolean;
  /** Whether unfinished work waits to continue, in this lane or in another. */
  readonly hasUnfinished: boolean;
  /** Whether as many screened experiments wait as there are lanes that may take them. */
  readonly isBackedUp: boolean;
};

/** One lane as `step` sees it. */
export type LoopState = StudyState &
  LaneState & {
    /** What a free lane goes on with before it begins anything new, oldest first. */
    readonly begun: readonly Begun[];
    readonly beside: Beside;
  };

/** An experiment that has begun and goes on in the next lane. */
export type Begun = {
  readonly unfinished: Unfinished;
  readonly repairs: number;
  /** Where its last run was, in the words of the ledger; null where it had none. */
  readonly lane: string | null;
  /** Whether it was trained on other hardware than the baseline's, and is to be trained on the same. */
  readonly isScreened: boolean;
};

export type Stop = { readonly reason: StopReason; readonly detail: string | null };

/** Why an experiment is set aside before its end, to go on later. */
export type SetAsideReason =
  | { readonly kind: 'stopped' }
  /** The model that its run called did not answer. */
  | { readonly kind: 'unanswered'; readonly message: string }
  /** The model was not called: the cap is reached. */
  | { readonly kind: 'spent'; readonly message: string }
  /** No machine had taken it yet, and something else is to be done first. */
  | { readonly kind: 'put_off'; readonly message: string }
  /** The machine where it was to be trained refuses it, and would refuse the next. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Its run on other hardware may be a gain: it is trained on the baseline's. */
  | { readonly kind: 'screened' };

export type LoopEvent =
  /** Start of a sitting. */
  | { readonly type: 'started' }
  | { readonly type: 'wished'; readonly wish: Wish }
  /** Something has happened in another lane. */
  | { readonly type: 'looked' }
  | Proposed
  | Submitted
  | Attempted
  | TrainResult
  | Disturbed
  | Numbered
  | Recorded
  | Repeated
  | RepeatRecorded
  | NotProbed
  | TakenBack
  /** The user stops what runs now; `n` is null if nothing must be set aside. */
  | { readonly type: 'aborted'; readonly n: number | null; readonly ended: EndedRun | null }
  /** Another machine refuses to train; `n` is null if nothing must be set aside. */
  | { readonly type: 'not_trained'; readonly n: number | null; readonly message: string }
  /** No machine had taken a run yet, and something else is to be done first; `attempt` is null where nothing needs to be set aside. */
  | {
      readonly type: 'put_off';
      readonly attempt: { readonly n: number; readonly commit: string } | null;
      readonly message: string;
    }
  | { readonly type: 'set_aside'; readonly reason: SetAsideReason };

export type Effect =
  | { readonly type: 'take_baseline' }
  | { readonly type: 'propose'; readonly n: number; readonly repair: Repair | null }
  | { readonly type: 'attempt'; readonly n: number; readonly edit: AcceptedEdit }
  | { readonly type: 'review'; readonly n: number; readonly repair: CrashedRun | null }
  | {
      readonly type: 'train';
      readonly n: number;
      readonly commit: string;
      /** The previous run, which must not decide. */
      readonly unfair: EndedRun | null;
      readonly isResumed: boolean;
    }
  | {
      readonly type: 'await_number';
      readonly n: number;
      readonly ended: EndedRun | null;
      readonly isResumed: boolean;
    }
  | {
      readonly type: 'record';
      readonly n: number;
      readonly verdict: Verdict;
      readonly ended: EndedRun | null;
      /** Edits to try together because of it; null for none. */
      readonly combination: Combination | null;
    }
  | {
      readonly type: 'repeat';
      readonly n: number;
      readonly purpose: RepeatPurpose;
      /** A run whose end is not written yet and whose verdict depends on this one; null if there is none. */
      readonly before: EndedRun | null;
    }
  | { readonly type: 'take_back'; readonly back: Unfounded }
  | ({ readonly type: 'record_repeat' } & RepeatResult)
  | {
      readonly type: 'set_aside';
      readonly n: number;
      readonly ended: EndedRun | null;
      readonly reason: SetAsideReason;
    }
  | { readonly type: 'wait' }
  /** Nothing for this lane until something happens in another. */
  | { readonly type: 'rest' }
  | { readonly type: 'stop'; readonly reason: StopReason; readonly detail: string | null };

export type Step = { readonly state: LoopState; readonly effect: Effect };
