import {
  FREE_LANE,
  type LaneState,
  type LoopState,
  type StudyState,
} from '../../src/engine/session/loop/loop-state.ts';

/** A free lane, the only one of its study. */
export const ONLY_LANE: LaneState & Pick<LoopState, 'begun' | 'beside'> = {
  ...FREE_LANE,
  begun: [],
  beside: {
    experiments: 0,
    repeats: [],
    isWriting: false,
    isBusy: false,
    hasUnfinished: false,
    isBackedUp: false,
  },
};

/** A sitting with no reason to end. */
export const GOING_ON: Pick<
  StudyState,
  | 'references'
  | 'runMs'
  | 'ending'
  | 'halted'
  | 'emptyAt'
  | 'wish'
  | 'isBlocked'
  | 'canRepair'
  | 'maxRefusals'
> = {
  references: new Set(),
  ...{ runMs: null, ending: null, halted: null, emptyAt: null, wish: 'go', isBlocked: false },
  ...{ canRepair: false, maxRefusals: 3 },
};
