import {
  type Begun,
  type Effect,
  FREE_LANE,
  type LaneState,
  type LoopEvent,
  type LoopState,
  type StudyState,
} from './loop-state.ts';
import { step } from './step.ts';

/**
 * Several lanes of one study, each with its own experiment: pure, like `step`, which decides what comes next in one
 * lane. With one lane this is `step`.
 */
export type LanesState = {
  readonly study: StudyState;
  readonly lanes: readonly Lane[];
  /** Experiments of an earlier sitting that continue as soon as a lane is free, oldest first. */
  readonly begun: readonly Begun[];
};

type Lane = LaneState & {
  /** What it does now; null if it waits for another lane, or for the user. */
  readonly effect: PerformedEffect | null;
};

/** Effects of a lane; the others concern the study as a whole. */
export type PerformedEffect = Exclude<Effect, { type: 'rest' | 'wait' | 'stop' }>;
type LaneEffect = { readonly lane: number; readonly effect: PerformedEffect };
/** What remains to be done once no lane does anything. */
type Idle = Extract<Effect, { type: 'wait' | 'stop' }>;

/** Finished even if the user stops the study, and before anything else is judged. */
export const WRITES: readonly Effect['type'][] = ['record', 'record_repeat', 'take_back'];

const FREE: Lane = { ...FREE_LANE, effect: null };

/** What is known of a lane from its place. */
export type LaneOfPlace = {
  /** Null for the only one. */
  readonly label: string | null;
  readonly isScreening: boolean;
  /** Model of its GPU. */
  readonly model: string | null;
};

/** What was begun goes on in the lane that it was in, if there is one: its job may go on there, on a GPU of that lane. */
export function startLanes(
  { study, begun }: { readonly study: StudyState; readonly begun: readonly Begun[] },
  places: readonly LaneOfPlace[],
): LanesState {
  const lanes: Lane[] = places.map(openLane);
  const left = begun.filter(own => {
    const at = places.findIndex(({ label }, place) => {
      const lane = lanes[place];
      const isThere = label !== null && `${own.lane}, `.startsWith(`${label}, `);
      return isThere && lane?.unfinished === null && fits(own, lane);
    });
    const lane = lanes[at];
    if (lane) lanes[at] = { ...lane, unfinished: own.unfinished, repairs: own.repairs };
    return lane === undefined;
  });
  return { study, lanes, begun: left };
}

/** Whether it may go on in this lane. */
function fits({ unfinished, isScreened }: Begun, { screensOn }: LaneState): boolean {
  return screensOn === null || (!isScreened && unfinished.n > 0);
}

/** Adds lanes, which have nothing to do yet. */
export function withMoreLanes(state: LanesState, places: readonly LaneOfPlace[]): LanesState {
  return {
    ...state,
    lanes: [...state.lanes, ...places.map(openLane)],
  };
}

/**
 * @param lane whose effect led to this event; null if none did: the sitting starts, or the user wishes something
 * @returns what lanes begin now; `idle` if none does anything, and none begins
 */
export function stepLanes(
  state: LanesState,
  { lane, event }: { readonly lane: number | null; readonly event: LoopEvent },
  now: number,
): { readonly state: LanesState; readonly effects: readonly LaneEffect[]; readonly idle: Idle | null } {
  const effects: LaneEffect[] = [];
  let next = state;
  let idle: Idle | null = null;
  const look = (at: number, what: LoopEvent) => {
    const stepped = stepOne(next, at, what, now);
    next = stepped.state;
    const { effect } = stepped;
    if (effect.type === 'wait' || effect.type === 'stop') idle = effect;
    else if (effect.type !== 'rest') effects.push({ lane: at, effect });
  };
  if (lane !== null) look(lane, event);
  const waits = (at: number) => Number(next.lanes[at]?.unfinished != null);
  // What was begun goes on before anything new, which would count as the last that is wanted.
  for (const at of [...next.lanes.keys()].sort((a, b) => waits(b) - waits(a))) {
    // What a lane does alone is begun before anything else, and what the user wishes is asked of one.
    if (idle || next.lanes[at]?.effect) continue;
    look(at, lane === null ? event : { type: 'looked' });
  }
  return { state: next, effects, idle };
}

function stepOne(
  state: LanesState,
  at: number,
  event: LoopEvent,
  now: number,
): { readonly state: LanesState; readonly effect: Effect } {
  const { lanes } = state;
  const { own, begun } = handOver(lanes[at] ?? FREE, state.begun, event);
  const { state: after, effect } = step(viewOf({ ...state, begun }, at, own), event, now);
  const { screensOn, n, unfinished, refusals, repairs, reruns, unanswered, held, ...rest } = after;
  const { beside: _beside, begun: untaken, ...study } = rest;
  const left = begun.filter(other => !fits(other, own) || untaken.includes(other));
  const isPerformed = effect.type !== 'rest' && effect.type !== 'wait' && effect.type !== 'stop';
  const lane: Lane = {
    ...{ screensOn, n, unfinished, refusals, repairs, reruns, unanswered, held },
    effect: isPerformed ? effect : null,
  };
  const closed = event.type === 'taken_back' ? event.closed : [];
  return {
    effect,
    state: {
      study,
      lanes: lanes.map((other, place) => (place === at ? lane : withoutClosed(other, closed))),
      begun: left.filter(({ unfinished }) => !closed.includes(unfinished.n)),
    },
  };
}

function withoutClosed(lane: Lane, closed: readonly number[]): Lane {
  return lane.unfinished && closed.includes(lane.unfinished.n) ? freed(lane) : lane;
}

function openLane({ isScreening, model }: LaneOfPlace): Lane {
  return { ...FREE, screensOn: isScreening ? model : null };
}

function freed({ screensOn }: Lane): Lane {
  return { ...FREE, screensOn };
}

/** An experiment whose screening promises a gain leaves its lane and waits for one with the baseline's hardware. */
function handOver(
  own: Lane,
  begun: readonly Begun[],
  event: LoopEvent,
): { readonly own: Lane; readonly begun: readonly Begun[] } {
  const { unfinished, repairs } = own;
  const isHandedOver = event.type === 'set_aside' && event.reason.kind === 'screened';
  if (!isHandedOver || !unfinished) return { own, begun };
  return { own: freed(own), begun: [...begun, { unfinished, repairs, lane: null, isScreened: true }] };
}

function viewOf({ study, lanes, begun }: LanesState, at: number, own: Lane): LoopState {
  const { effect: _effect, ...lane } = own;
  const others = lanes.filter((_, place) => place !== at);
  const busy = others.filter(({ effect }) => effect !== null);
  // Other lanes will go on with these.
  const waiting = begun.filter(begun => !fits(begun, own));
  return {
    ...{ ...study, ...lane, begun: begun.filter(begun => fits(begun, own)) },
    beside: {
      experiments: busy.filter(({ n }) => n !== null && n > 0).length + waiting.length,
      repeats: busy.flatMap(({ effect }) => (effect?.type === 'repeat' ? [effect] : [])),
      isWriting: busy.some(({ effect }) => effect !== null && WRITES.includes(effect.type)),
      isBusy: busy.length > 0 || waiting.length > 0,
      isBackedUp: waiting.length >= lanes.filter(({ screensOn }) => screensOn === null).length,
      hasUnfinished: begun.length > 0 || others.some(({ unfinished }) => unfinished !== null),
    },
  };
}

/** Numbers of experiments that lanes have begun and that have no verdict, highest first. */
export function openNumbers({ lanes }: LanesState): readonly number[] {
  return lanes.flatMap(({ n }) => (n === null ? [] : [n])).sort((a, b) => b - a);
}
