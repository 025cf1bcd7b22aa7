import type { Ledger } from '../../store/ledger.ts';
import type { StageContext } from '../stage-context.ts';
import type { EndedRun } from '../train/train-attempt.ts';

/** Writes a run's end together with what follows from it, in one transaction, and then sends its events. */
export function endRun(
  { ledger, emit }: Pick<StageContext, 'ledger' | 'emit'>,
  ended: EndedRun | null,
  write: (ledger: Ledger) => void = () => {},
): void {
  ledger.write(() => {
    if (ended) ledger.runs.finish(ended.run, ended.result, ended.endedAt);
    write(ledger);
  });
  if (ended) emit(ended.finished);
}
