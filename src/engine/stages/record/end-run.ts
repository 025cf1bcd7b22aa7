import type { EngineEventBody } from '../../../shared/events.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';

/**
 * Stores a run's end and its consequences in one transaction, then sends its events.
 * @param write stores the consequences and returns their events; see {@link Enter}
 * @returns a function that sends the events `write` held back
 */
export function endRun(
  { ledger, enter }: Pick<StageContext, 'ledger' | 'enter'>,
  ended: EndedRun | null,
  write: (ledger: Ledger, hold: (event: EngineEventBody) => void) => readonly EngineEventBody[] = () => [],
): () => void {
  return enter(hold => {
    if (ended) ledger.runs.finish(ended.run, ended.result, ended.endedAt);
    const events = write(ledger, hold);
    return ended ? [ended.finished, ...events] : events;
  });
}
