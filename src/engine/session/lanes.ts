import type { Begun } from './initial-state.ts';
import type { Effect, LaneState, LoopEvent, LoopState, StudyState } from './loop-state.ts';
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

const FREE: Lane = {
  ...{ n: null, unfinished: null, refusals: 0, repairs: 0, reruns: 0, unanswered: 0, held: null },
  effect: null,
};

/**
 * What was begun goes on in the lane that it was in, if there is one: its job may go on there, on a GPU of that lane.
 * @param labels of the lanes; null for the only one
 */
export function startLanes(
  { study, begun }: { readonly study: StudyState; readonly begun: readonly Begun[] },
  labels: readonly (string | null)[],
): LanesState {
  const lanes: Lane[] = labels.map(() => FREE);
  const left = begun.filter(({ lane, ...own }) => {
    const at = labels.findIndex(
      (label, place) => label !== null && `${lane}, `.startsWith(`${label}, `) && lanes[place] === FREE,
    );
    if (at >= 0) lanes[at] = { ...FREE, ...own };
    return at < 0;
  });
  return { study, lanes, begun: left };
}

/** Adds lanes, which have nothing to do yet. */
export function withMoreLanes(state: LanesState, count: number): LanesState {
  return { ...state, lanes: [...state.lanes, ...Array.from({ length: count }, () => FREE)] };
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
  const { lanes, begun } = state;
  const own = lanes[at] ?? FREE;
  const isFree = own.n === null && own.unfinished === null;
  const [first, ...others] = begun;
  const taken = isFree && first ? { ...own, unfinished: first.unfinished, repairs: first.repairs } : own;
  const left = isFree ? others : begun;
  const { state: after, effect } = step(viewOf({ ...state, begun: left }, at, taken), event, now);
  const { n, unfinished, refusals, repairs, reruns, unanswered, held, beside: _beside, ...study } = after;
  const isPerformed = effect.type !== 'rest' && effect.type !== 'wait' && effect.type !== 'stop';
  const lane: Lane = {
    ...{ n, unfinished, refusals, repairs, reruns, unanswered, held },
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
  return lane.unfinished && closed.includes(lane.unfinished.n) ? FREE : lane;
}

function viewOf({ study, lanes, begun }: LanesState, at: number, own: Lane): LoopState {
  const { effect: _effect, ...lane } = own;
  const others = lanes.filter((_, place) => place !== at);
  const busy = others.filter(({ effect }) => effect !== null);
  return {
    ...{ ...study, ...lane },
    beside: {
      experiments: busy.filter(({ n }) => n !== null && n > 0).length,
      repeats: busy.flatMap(({ effect }) => (effect?.type === 'repeat' ? [effect] : [])),
      isWriting: busy.some(({ effect }) => effect !== null && WRITES.includes(effect.type)),
      isBusy: busy.length > 0,
      hasUnfinished: begun.length > 0 || others.some(({ unfinished }) => unfinished !== null),
    },
  };
}

/** Numbers of experiments that lanes have begun and that have no verdict, highest first. */
export function openNumbers({ lanes }: LanesState): readonly number[] {
  return lanes.flatMap(({ n }) => (n === null ? [] : [n])).sort((a, b) => b - a);
}
