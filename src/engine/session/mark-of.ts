import type { EngineEventBody } from '../../shared/events.ts';
import { describeHostAway, describeHostJoined } from '../../shared/machines/hosts.ts';
import type { Mark } from '../../shared/notebook.ts';
import { describeRest, describeRested } from '../../shared/proposers/rests.ts';
import { describeFlag, describeHandOver } from '../../shared/verdicts/fairness.ts';
import { describeRepeat, describeRollBack, describeTakeBack } from '../../shared/verdicts/repeats.ts';

/** The mark that an event leaves in the notebook; null for most. */
export function markOf(
  event: EngineEventBody,
  now: number,
): (Pick<Mark, 'kind' | 'text'> & Partial<Pick<Mark, 'host'>>) | null {
  switch (event.type) {
    case 'study_started':
      return { kind: 'started', text: event.proposer };
    case 'study_stopped':
      return { kind: 'stopped', text: event.detail ? `${event.reason}: ${event.detail}` : event.reason };
    case 'study_paused':
      return { kind: 'paused', text: '' };
    case 'study_continued':
      return { kind: 'continued', text: '' };
    case 'warning':
      return { kind: 'warning', text: event.message };
    case 'run_unfair': {
      const why = event.flags.map(describeFlag).join('; ');
      return { kind: 'unfair', text: `#${event.n} is run again, because the last run was unfair: ${why}` };
    }
    case 'handed_over':
      return { kind: 'handed_over', text: describeHandOver(event) };
    case 'repeated':
      return { kind: 'repeated', text: describeRepeat(event) };
    case 'rolled_back':
      return { kind: 'rolled_back', text: describeRollBack(event) };
    case 'taken_back':
      return { kind: 'rolled_back', text: describeTakeBack(event) };
    case 'proposer_rests':
      return { kind: 'rested', text: describeRest(event, now) };
    case 'proposer_rested':
      return { kind: 'rested', text: describeRested(event) };
    case 'host_away':
      return { kind: 'host_away', text: describeHostAway(event), host: event.host };
    case 'host_joined':
      return { kind: 'host_joined', text: describeHostJoined(event), host: event.host };
    default:
      return null;
  }
}
