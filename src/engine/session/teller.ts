import { PawlError } from '../../shared/errors.ts';
import type { EngineEventBody } from '../../shared/events.ts';
import type { Outbox } from '../notify/outbox.ts';
import type { Tell } from '../stages/tell.ts';
import type { Ledger } from '../store/ledger.ts';
import { markOf } from './mark-of.ts';

/** Records the marks of a study's events and the messages to the user, and hands the events to `send`. */
export function teller(
  studyId: string,
  ledger: Ledger,
  now: () => number,
  outbox: Pick<Outbox, 'wants' | 'keep' | 'send'> | null,
  send: (event: EngineEventBody) => void,
): Tell {
  const mark = (event: EngineEventBody) => {
    const left = markOf(event, now());
    if (left) ledger.marks.add(studyId, left.kind, left.text, now(), left.host);
    outbox?.keep(event, studyId);
  };
  return {
    enter: work => {
      const held: EngineEventBody[] = [];
      const events = ledger.write(() => {
        // A full disk may make it try again.
        held.length = 0;
        const told = work(event => held.push(event));
        for (const event of [...told, ...held]) mark(event);
        return told;
      });
      events.forEach(send);
      outbox?.send();
      return () => held.forEach(send);
    },
    emit: event => {
      // Errors on a full disk must be announced all the same.
      if (markOf(event, now()) || outbox?.wants(event, studyId)) {
        ignorePawlErrors(() => ledger.write(() => mark(event)));
      }
      send(event);
      outbox?.send();
    },
  };
}

/** Null if the ledger or the disk refuses. */
export function ignorePawlErrors<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    return null;
  }
}
