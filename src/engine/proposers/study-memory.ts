import { PawlError } from '../../shared/errors.ts';
import type { Mark } from '../../shared/notebook.ts';
import { MEMORY_CHARACTERS, type MemoryAuthor } from '../../shared/proposers/memory.ts';
import type { Study } from '../../shared/study.ts';
import { stripControl } from '../metrics/line-splitter.ts';
import type { Ledger } from '../store/ledger.ts';
import type { SavedMemory } from '../store/memories.ts';
import { isComparable, memoryOf } from './briefing/memory.ts';

/** Reading more takes too long, and the newest studies matter most. */
const MAX_EXPERIMENTS = 20_000;

/** What the studies in the ledger can tell this one, as they are now; see {@link memoryOf}. */
export function makeMemory(ledger: Ledger, study: Study): string {
  let left = MAX_EXPERIMENTS;
  const comparable = ledger.studies.list().filter(other => isComparable(study, other));
  const read = comparable.filter(({ id }) => {
    const count = (ledger.experiments.lastNumber(id) ?? -1) + 1;
    if (count > left) return false;
    left -= count;
    return true;
  });
  return memoryOf(
    study,
    read.map(other => {
      const crashes = ledger.runs.crashMessages(other.id);
      const history = ledger.experiments.history(other.id);
      return {
        study: other,
        history: history.map(entry => ({ ...entry, crash: crashes.get(entry.n) ?? null })),
      };
    }),
  );
}

/** A study's current memory. A study that began before memories existed gets one now. */
export function readMemory(ledger: Ledger, study: Study, now: number): SavedMemory {
  const latest = ledger.memories.latest(study.id);
  if (latest) return latest;
  const text = makeMemory(ledger, study);
  // Another process may do the same at the same time.
  return ledger.write(
    () => ledger.memories.latest(study.id) ?? ledger.memories.add(study.id, 'pawl', text, now),
  );
}

/**
 * Saves a version, which applies from the next proposal on; an empty one tells proposers nothing. Rejects with
 * `usage` if `base` is no longer the latest version, or the text is too long.
 */
export function saveMemory(
  ledger: Ledger,
  study: Study,
  { author, text }: { readonly author: MemoryAuthor; readonly text: string },
  base: number,
  now: number,
): Mark {
  // The text goes to terminals as well as to models.
  const plain = stripControl(text.replace(/\r\n?/g, '\n')).trim();
  if (plain.length > MEMORY_CHARACTERS) {
    throw new PawlError(
      'usage',
      `That is ${plain.length} characters; a proposer gets at most ${MEMORY_CHARACTERS} about earlier studies.`,
    );
  }
  return ledger.write(() => {
    const latest = ledger.memories.latest(study.id)?.id ?? 0;
    if (latest !== base) {
      throw new PawlError(
        'usage',
        `What earlier studies learnt was saved elsewhere meanwhile (version ${latest}). Reload and compare; your own text is kept.`,
      );
    }
    const { id } = ledger.memories.add(study.id, author, plain, now);
    const what =
      plain === '' ? 'left out' : author === 'pawl' ? 'made again from their results' : 'changed by you';
    return ledger.marks.add(study.id, 'memory', `What earlier studies learnt: ${what} (version ${id})`, now);
  });
}
