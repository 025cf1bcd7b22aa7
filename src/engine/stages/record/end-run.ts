import type { EngineEventBody } from '../../../shared/events.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/ended-run.ts';

/**
 * Writes a run's end together with what follows from it, in one transaction, and then sends its events.
 * @param write returns the events of what follows; see {@link Enter}
 * @returns sends what `write` held
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
