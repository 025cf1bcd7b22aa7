import type { EngineEvent } from '../events.ts';

/** Hosts over ssh that were out of reach when a sitting began, in words. */

export function describeHostAway({
  host,
  message,
}: Pick<Extract<EngineEvent, { type: 'host_away' }>, 'host' | 'message'>): string {
  const why = message.replace(/[.\s]*$/, '.');
  return `${host} is out of reach: the study runs without its lanes, and asks for it again and again. ${why}`;
}

export function describeHostJoined({
  host,
  lanes,
}: Pick<Extract<EngineEvent, { type: 'host_joined' }>, 'host' | 'lanes'>): string {
  return `${host} can be reached now: ${lanes === 1 ? 'one lane' : `${lanes} lanes`} more.`;
}
