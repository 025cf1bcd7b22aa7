import { PawlError } from '../../shared/errors.ts';
import type { Memory } from '../../shared/proposers/memory.ts';
import type { Study } from '../../shared/study.ts';
import { readMemory } from '../proposers/study-memory.ts';
import type { Ledger } from '../store/ledger.ts';

/** What a study's proposers read about earlier studies; created now if it does not exist. */
export function viewMemory(ledger: Ledger, study: Study, now: number): Memory {
  const { text } = readMemory(ledger, study, now);
  return { text, versions: ledger.memories.list(study.id) };
}

/** Rejects with `usage` if there is no such version. */
export function readMemoryVersion(ledger: Ledger, study: Study, id: number): string {
  const saved = ledger.memories.get(study.id, id);
  if (!saved) throw new PawlError('usage', `There is no version ${id} of what earlier studies learnt.`);
  return saved.text;
}
