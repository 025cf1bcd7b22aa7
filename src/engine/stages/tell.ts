import type { EngineEventBody } from '../../shared/events.ts';

/**
 * Writes in one transaction what happened, with the marks that its events leave in the notebook, and then sends the events that
 * `work` returned. Those that it held are sent by what this returns, to be called once they are true.
 */
export type Enter = (
  work: (hold: (event: EngineEventBody) => void) => readonly EngineEventBody[],
) => () => void;

/** How a sitting tells what happens. */
export type Tell = {
  /** Sends an event that need not be written together with something else. */
  readonly emit: (event: EngineEventBody) => void;
  readonly enter: Enter;
};
