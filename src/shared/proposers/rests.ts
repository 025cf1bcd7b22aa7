import type { EngineEvent } from '../events.ts';
import { listed } from '../listed.ts';
import { counted } from '../numbers.ts';

type Rest = Extract<EngineEvent, { type: 'proposer_rests' }>;
type Rested = Extract<EngineEvent, { type: 'proposer_rested' }>;

/** How many names fit on a line; the rest is a count. */
const MAX_NAMED = 12;

/**
 * In words that stay true: they are also a mark in the notebook.
 * @param now milliseconds since the epoch
 */
export function describeRest(
  { proposer, until, message, standIn }: Pick<Rest, 'proposer' | 'until' | 'message' | 'standIn'>,
  now: number,
): string {
  const minutes = Math.max(1, Math.round((until - now) / 60_000));
  const meanwhile =
    standIn === null
      ? `It is asked again after ${minutes} min.`
      : `The ${standIn} stands in; it is asked again after ${minutes} min.`;
  return `${proposer} could not propose. ${message.replace(/[.\s]*$/, '.')} ${meanwhile}`;
}

export function describeRested({
  proposer,
  isBack,
  experiments,
  standIns,
}: Pick<Rested, 'proposer' | 'isBack' | 'experiments' | 'standIns'>): string {
  const until = isBack ? `${proposer} proposed again.` : `${proposer} did not propose again.`;
  if (experiments.length === 0) return `${until} Nothing was tried meanwhile.`;
  const which = listed(
    experiments.map(n => `#${n}`),
    MAX_NAMED,
  );
  return `${until} Meanwhile ${standIns.join(', ')} proposed ${counted(experiments.length, 'experiment')}: ${which}.`;
}
