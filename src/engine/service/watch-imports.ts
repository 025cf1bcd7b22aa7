import type { Ledger } from '../ledger/ledger.ts';

/** An import by another process is seen within this time. */
const LOOK_MS = 1_000;

/**
 * Tells of studies that another process (the terminal, say) imported while this one has the ledger open. Returns the
 * function that ends it.
 */
export function watchImports(ledger: Ledger, onImport: (study: string) => void): () => void {
  const known = new Set(ledger.studies.list().map(({ id }) => id));
  let version = ledger.version();
  const look = () => {
    const now = ledger.version();
    if (now === version) return;
    version = now;
    for (const { id, state } of ledger.studies.list()) {
      if (known.has(id)) continue;
      known.add(id);
      if (state === 'imported') onImport(id);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
