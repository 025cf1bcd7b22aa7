import type { EngineEvent } from '../events.ts';

/** Hosts over ssh that were out of reach when a sitting began, in words that stay true: they are also marks in the notebook. */

export function describeHostAway({
  host,
  message,
}: Pick<Extract<EngineEvent, { type: 'host_away' }>, 'host' | 'message'>): string {
  const why = message.replace(/[.\s]*$/, '.');
  return `${host} was out of reach: the study began without its lanes, which join it when the host answers. ${why}`;
}

export function describeHostJoined({
  host,
  lanes,
}: Pick<Extract<EngineEvent, { type: 'host_joined' }>, 'host' | 'lanes'>): string {
  return `${host} was reached: ${lanes === 1 ? 'one lane' : `${lanes} lanes`} more.`;
}
