import { dataPaths } from '../../../src/engine/paths.ts';
import { teller } from '../../../src/engine/session/teller.ts';
import { openLedger } from '../../../src/engine/store/ledger.ts';
import type { EngineEventBody } from '../../../src/shared/events.ts';

/** Writes to the ledger that these events happened in the study's only sitting, as an engine does. */
export function happen(home: string, events: readonly EngineEventBody[]): void {
  const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
  const id = ledger.studies.list()[0]?.id ?? '';
  const began = ledger.marks.newestOfKind(id, 'started')?.at ?? 0;
  const { emit } = teller(
    id,
    ledger,
    () => began,
    null,
    () => {},
  );
  for (const event of events) emit(event);
  ledger.close();
}
