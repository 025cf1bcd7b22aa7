import type { Ledger } from './ledger.ts';

/**
 * Keeps what was computed from a study's data until their version changes: every event sends a card, and a long night
 * takes some milliseconds to add up and to evaluate.
 */
export function keepByVersion<Value>(): (
  ledger: Ledger,
  studyId: string,
  version: string,
  compute: () => Value,
) => Value {
  const known = new WeakMap<Ledger, Map<string, { readonly version: string; readonly value: Value }>>();
  return (ledger, studyId, version, compute) => {
    const ofLedger =
      known.get(ledger) ?? new Map<string, { readonly version: string; readonly value: Value }>();
    known.set(ledger, ofLedger);
    const before = ofLedger.get(studyId);
    if (before?.version === version) return before.value;
    const value = compute();
    ofLedger.set(studyId, { version, value });
    return value;
  };
}
