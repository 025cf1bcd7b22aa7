import type { EngineEventBody } from '../../shared/events.ts';

/**
 * Stores what happened in one transaction, including the marks that its events leave in the notebook, and then sends
 * the events that `work` returned. Events that `work` held back are sent by the returned function; call it once they
 * are true.
 */
export type Enter = (
  work: (hold: (event: EngineEventBody) => void) => readonly EngineEventBody[],
) => () => void;

/** How a sitting reports what happens. */
export type Tell = {
  /** Sends an event that need not be stored together with anything else. */
  readonly emit: (event: EngineEventBody) => void;
  readonly enter: Enter;
};
